"""Classifiers and detectors at the receiver, with tiny networks of random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcom.checkpoints.transformers_models import import_transformers, quiet
from semcom.importance.maps import importance
from semcom.scores.base import Scored, built
from semcom.scores.tasks.objects_kept import Box, f_measure

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "patch_size": 16,
}


def scored(photo):
    return Scored(importance([], *photo.shape[:2]))


def save(folder, make_model, make_processor):
    hf = import_transformers()
    with quiet():
        torch.manual_seed(0)
        model, processor = make_model(hf), make_processor(hf)
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A vision transformer that sees 32×32 pixels and tells ten classes apart."""

    def network(hf):
        model = hf.ViTForImageClassification(hf.ViTConfig(**SMALL, image_size=32, num_labels=10))
        model.vit.embeddings.patch_embeddings.projection.weight.data *= 50
        model.classifier.weight.data.normal_(generator=torch.Generator().manual_seed(1))
        return model

    def processor(hf):
        return hf.ViTImageProcessor(size={"height": 32, "width": 32})

    return save(tmp_path_factory.mktemp("classifier"), network, processor)


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """A YOLOS that finds something in whatever it sees."""

    def network(hf):
        about = hf.YolosConfig(**SMALL, image_size=[64, 96], num_detection_tokens=5, num_labels=4)
        model = hf.YolosForObjectDetection(about)
        model.vit.embeddings.patch_embeddings.projection.weight.data *= 50
        for layer in model.class_labels_classifier.layers:
            layer.weight.data *= 20
        model.class_labels_classifier.layers[-1].bias.data[-1] = -20  # never "nothing"
        return model

    def processor(hf):
        return hf.YolosImageProcessor(size={"height": 64, "width": 96})

    return save(tmp_path_factory.mktemp("detector"), network, processor)


def test_the_class_is_that_of_the_network(photo, classifier):
    score = built(f"class_kept:model={classifier}")
    pictures = [np.rot90(photo, k).copy() for k in range(4)]
    pictures += [255 - photo, np.full_like(photo, 128), photo[:64, :64]]
    classes = [score.predict(one) for one in pictures]
    assert len(set(classes)) > 1
    for one, kind in zip(pictures, classes, strict=True):
        assert score(photo, one, scored(photo)) == (kind == classes[0])


def test_objects_are_found_again_in_an_exact_copy_alone(photo, detector):
    score = built(f"objects_kept:model={detector},threshold=0.3")
    found = score.detect(photo)
    assert found
    assert score(photo, photo.copy(), scored(photo)) == 1
    other = photo[::-1].copy()
    assert score(photo, other, scored(photo)) == f_measure(found, score.detect(other))
    none = built(f"objects_kept:model={detector},threshold=0.9999")
    assert none(photo, photo, scored(photo)) is None


def test_each_box_counts_once():
    one, near, far = Box(1, 0, 0, 10, 10), Box(1, 1, 0, 11, 10), Box(1, 30, 0, 40, 10)
    assert f_measure([one], [one, near]) == pytest.approx(2 / 3)
    assert f_measure([one, far], [near, far]) == 1
    assert f_measure([one], []) == 0
    assert f_measure([one], [one._replace(kind=2)]) == 0


@pytest.mark.parametrize("name", ["class_kept", "objects_kept"])
def test_what_is_missing_or_of_another_kind_is_said_in_one_line(name, classifier, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ValueError, match="no such folder"):
        built(f"{name}:model=./nowhere")
    with pytest.raises(ValueError, match="neither a folder nor an id"):
        built(f"{name}:model=a b")
    if name == "objects_kept":
        with pytest.raises(ValueError, match="cannot be opened as AutoModelForObjectDetection"):
            built(f"{name}:model={classifier}")
        with pytest.raises(ValueError, match="threshold must be above 0"):
            built(f"{name}:threshold=1")
