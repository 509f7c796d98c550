"""Networks and options that are refused, in words; and modules that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from semcom.codecs.base import CODECS
from semcom.errors import InputError

NETWORKS = Path(__file__).with_name("networks.py")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Noisy", "encode of .* changes its output between calls; if it adds the noise"),
        ("Two", "encode of .* returns 2 things; return one tensor, since whatever else"),
        ("Two", r"may return bool \(images, bits\) beside it if its decoder takes 'side_bits'"),
        ("Silent", "takes 'side_bits', so encode must return two tensors"),
        ("Whole", "takes 'side_bits', so encode must return two tensors"),
        ("Foreseeing", "encode of .* needs 'side_bits', which it makes"),
        ("Fickle", "encode of .* changes its output between calls"),
        ("NotANumber", "decode of .* makes NaN or infinity"),
        ("Huge", "encode of .* makes numbers beyond 1e19"),
        ("Quits", r"encode of .* fails for \(1, 3, 64, 80\): SystemExit: 3"),
        ("Small", r"decode of .* made \(1, 3, 63, 79\) of torch.float32; a picture here is"),
        ("Keeper", "decode of .* changes its output between calls: if it uses what encode kept"),
        ("Memo", "decode of .* needs what encode kept in the same network; have that sent"),
        ("Overfull", "may use 2,560 symbols and makes 2,561"),
        ("Scalar", "encode of .* makes an empty tensor"),
        ("Greedy", "encode of .* needs 'label'; semcom hands over snr_db, snr, mask, num_symbols"),
        ("Fails", "cannot be built: RuntimeError: no weights on this planet"),
        ("Absent", "cannot be imported: AttributeError: .*Absent"),
        ("OneWay", r"has neither decode\(\) nor a part decoder"),
        ("not_a_network", "makes int, not an nn.Module"),
    ],
)
def test_what_is_refused_is_refused_in_words(name, message):
    with pytest.raises(InputError, match=message):
        CODECS.create(f"torch_jscc:module={NETWORKS}:{name}")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("module=nowhere", "a name is package.module:Class or file.py:Class, got 'nowhere'"),
        ("module=net.py:", "a name is package.module:Class or file.py:Class, got 'net.py:'"),
        ("module=:Net", "a name is package.module:Class or file.py:Class, got ':Net'"),
        ("module=no.such:Net", "cannot be imported: ModuleNotFoundError"),
        ("module=nowhere.py:Net", "FileNotFoundError: there is no file nowhere.py"),
        ("module=a:B+c:D+e:F", "takes one name or two"),
        (f"module={NETWORKS}:Phases,values=bytes", "choices: unit, signed"),
        (f"module={NETWORKS}:Phases,multiple=-1", "multiple must be 0 to 4096 pixels, got -1"),
        (f"module={NETWORKS}:Phases,power=-1", "power must be at least 0, got -1.0"),
        ("weights=nowhere.pth", "there are no weights at nowhere.pth"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        CODECS.create(f"torch_jscc:{options}")


def test_a_module_of_a_real_project_opens(tmp_path, capsys):
    """It prints, has dataclasses, and imports a module beside it."""
    (tmp_path / "helper_of_mine.py").write_text(
        f"import runpy\nPhases = runpy.run_path({str(NETWORKS)!r})['Phases']\n"
    )
    (tmp_path / "real.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from helper_of_mine import Phases\nprint('loading')\n"
        "@dataclass\nclass Config:\n    depth: int = 3\n"
        "class Net(Phases):\n    pass\n"
        "def parsed():\n    raise SystemExit(2)\n"
    )
    CODECS.create(f"torch_jscc:module={tmp_path}/real.py:Net")
    assert capsys.readouterr().out == ""
    with pytest.raises(InputError, match="cannot be built: SystemExit: 2"):
        CODECS.create(f"torch_jscc:module={tmp_path}/real.py:parsed")
