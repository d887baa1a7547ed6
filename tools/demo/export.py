"""Write the trained towers as the two ONNX graphs and settings that the embedded engine loads."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tools.demo.network import CLIP_MEAN, CLIP_STD, INPUT, DualEncoder
from tools.demo.tokens import save_tokenizer

PREPROCESSOR = {
    "image_processor_type": "CLIPImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": INPUT},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": INPUT, "width": INPUT},
    "do_rescale": False,
    "do_normalize": True,
    "image_mean": [255 * m for m in CLIP_MEAN],
    "image_std": [255 * s for s in CLIP_STD],
}
"""CLIP's preparation, its division by 255 folded into mean and deviation: one pass over the pixels less."""
OPSET = 17


class _Unit(nn.Module):
    """A tower whose vectors have unit length."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.normalize(self.tower(*inputs), dim=1)


def _fuse(module: nn.Module) -> None:
    """Fold batch norms into the convolutions before them, in place."""
    for child in module.children():
        _fuse(child)
    if isinstance(module, nn.Sequential):
        for i in range(len(module) - 1):
            if isinstance(module[i], nn.Conv2d) and isinstance(module[i + 1], nn.BatchNorm2d):
                module[i] = fuse_conv_bn_eval(module[i], module[i + 1])
                module[i + 1] = nn.Identity()


def export(model: DualEncoder, tokenizer: Tokenizer, folder: Path) -> None:
    """Write ``visual/`` and ``textual/`` into a folder: weights float16, arithmetic float32."""
    visual, textual = folder / "visual", folder / "textual"
    for sub in (visual, textual):
        sub.mkdir(parents=True, exist_ok=True)
    model = copy.deepcopy(model).cpu().eval().to(memory_format=torch.contiguous_format)
    _fuse(model.pictures)
    with torch.no_grad():
        torch.onnx.export(
            _Unit(model.pictures),
            (torch.randn(2, 3, INPUT, INPUT),),
            str(visual / "model.onnx"),
            opset_version=OPSET,
            dynamo=False,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "n"}, "output": {0: "n"}},
        )
        ids = torch.ones((2, 5), dtype=torch.int64)
        torch.onnx.export(
            _Unit(model.captions),
            (ids, torch.ones_like(ids)),
            str(textual / "model.onnx"),
            opset_version=OPSET,
            dynamo=False,
            input_names=["input_ids", "attention_mask"],
            output_names=["output"],
            dynamic_axes={
                "input_ids": {0: "n", 1: "l"},
                "attention_mask": {0: "n", 1: "l"},
                "output": {0: "n"},
            },
        )
    for graph in (visual / "model.onnx", textual / "model.onnx"):
        halve(graph)
    (visual / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR, indent=2) + "\n", encoding="utf-8")
    save_tokenizer(tokenizer, textual)


def halve(path: Path) -> None:
    """Keep a graph's large weights as float16; a cast before each use, which a runtime folds away on loading."""
    model = onnx.load(path)
    casts = []
    for tensor in [t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT]:
        weights = numpy_helper.to_array(tensor)
        if weights.size < 512:
            continue
        kept = numpy_helper.from_array(weights.astype(np.float16), f"{tensor.name}_half")
        casts.append(helper.make_node("Cast", [kept.name], [tensor.name], to=TensorProto.FLOAT))
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(kept)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)
