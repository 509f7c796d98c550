"""Networks that users bring: any ``nn.Module`` that maps images to symbols and back."""
