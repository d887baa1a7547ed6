"""Models of a few kilobytes in the layout that the embedded engine loads, built as ONNX graphs on the spot.

A picture's vector comes from its mean colour, a text's from its words: ``red`` alone gives the vector of a
red picture. Other words have directions of their own.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = ("red", "green", "blue", "construction", "site", "a", "photo", "of", "building")
SPECIALS = ("<pad>", "<start>", "<end>", "<unk>")
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
_STD = np.array([0.26862954, 0.26130258, 0.27577711])
_OPSET = 17


def write_clip(folder: Path, *, dim: int = 512, context: int = 77, seed: int = 0) -> Path:
    """Write a model in the layout of ``demo`` and ``clip`` to ``folder`` and return it."""
    visual, textual = folder / "visual", folder / "textual"
    for half in (visual, textual):
        half.mkdir(parents=True, exist_ok=True)
    directions = _directions(dim, seed)
    onnx.save(_visual_graph(directions, output="image_embeds"), visual / "model.onnx")
    onnx.save(_textual_graph(directions, seed, output="text_embeds", masked=True), textual / "model.onnx")
    _write_json(visual / "preprocessor_config.json", _preprocessor(crop=True))
    _write_tokenizer(textual, context)
    return folder


def write_siglip(folder: Path, *, dim: int = 768, seed: int = 0) -> Path:
    """Write a model in the layout of ``siglip`` to ``folder``: both halves in one place, two outputs each."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    directions = _directions(dim, seed)
    visual = _visual_graph(directions, output="pooler_output", hidden=True)
    textual = _textual_graph(directions, seed, output="pooler_output", masked=False, hidden=True)
    onnx.save(visual, folder / "onnx" / "vision_model.onnx")
    onnx.save(textual, folder / "onnx" / "text_model.onnx")
    _write_json(folder / "preprocessor_config.json", _preprocessor(crop=False))
    _write_tokenizer(folder, 64)
    return folder


def write_open(
    folder: Path,
    *,
    together: bool = False,
    projected: bool = True,
    kind: str = "clip",
    masked: bool = True,
    suffix: str = "",
    size: int = 224,
    dim: int = 32,
) -> Path:
    """Write a model in the layout of transformers.js to ``folder`` and return it.

    Args:
        folder: where to.
        together: both towers in one graph, ``model.onnx``.
        projected: give ``image_embeds`` and ``text_embeds``; else ``last_hidden_state`` and ``pooler_output``.
        kind: ``model_type`` in ``config.json``.
        masked: whether texts have an ``attention_mask``.
        suffix: of the graphs' names; ``_quantized`` and ``_int8`` make them so.
        size: side of the pictures.
        dim: length of the vectors.
    """
    graphs = folder / "onnx"
    graphs.mkdir(parents=True, exist_ok=True)
    directions = _directions(dim, 0)
    outputs = ("image_embeds", "text_embeds") if projected else ("pooler_output", "pooler_output")
    visual = _visual_graph(directions, output=outputs[0], hidden=not projected, size=size)
    textual = _textual_graph(directions, 0, output=outputs[1], masked=masked, hidden=not projected)
    if together:
        parts = (visual.graph, textual.graph)
        nodes, inputs, given, constants = (
            [item for part in parts for item in getattr(part, name)]
            for name in ("node", "input", "output", "initializer")
        )
        _save(_model(nodes, inputs, given, constants), graphs / f"model{suffix}.onnx")
    else:
        _save(visual, graphs / f"vision_model{suffix}.onnx")
        _save(textual, graphs / f"text_model{suffix}.onnx")
    _write_json(folder / "preprocessor_config.json", _preprocessor(crop=kind == "clip", size=size))
    _write_tokenizer(folder, 64 if kind == "siglip" else 77)
    _write_json(folder / "config.json", {"model_type": kind, "pad_token_id": 0})
    return folder


def _save(model: onnx.ModelProto, path: Path) -> None:
    onnx.save(model, path)
    if path.stem.endswith(("_quantized", "_int8")):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        whole = path.with_name("whole.onnx")
        path.rename(whole)
        quantize_dynamic(whole, path, weight_type=QuantType.QInt8 if path.stem.endswith("_int8") else QuantType.QUInt8)
        whole.unlink()


def _directions(dim: int, seed: int) -> NDArray[np.float32]:
    """Return directions of red, green, blue and of a constant, ``(4, dim)``."""
    return np.random.default_rng([seed, dim]).standard_normal((4, dim)).astype(np.float32)


def _visual_graph(
    directions: NDArray[np.float32], *, output: str, hidden: bool = False, size: int = 224
) -> onnx.ModelProto:
    """pixel_values -> mean colour, un-normalised -> directions."""
    dim = directions.shape[1]
    constants = [
        numpy_helper.from_array(np.array([0, 3], np.int64), "flat"),
        numpy_helper.from_array(_STD.astype(np.float32), "std"),
        numpy_helper.from_array(_MEAN.astype(np.float32), "mean"),
        numpy_helper.from_array(np.ascontiguousarray(directions[:3]), "colours"),
        numpy_helper.from_array(0.2 * directions[3], "constant"),
    ]
    nodes = [
        helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
        helper.make_node("Reshape", ["pooled", "flat"], ["normalised"]),
        helper.make_node("Mul", ["normalised", "std"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], ["rgb"]),
        helper.make_node("MatMul", ["rgb", "colours"], ["mixed"]),
        helper.make_node("Add", ["mixed", "constant"], [output]),
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", dim])]
    if hidden:  # the real graph's first output is per patch: whoever takes it gets another length
        nodes.append(helper.make_node("Identity", ["normalised"], ["last_hidden_state"]))
        outputs.insert(0, helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", 3]))
    inputs = [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["n", 3, size, size])]
    return _model(nodes, inputs, outputs, constants)


def _textual_graph(
    directions: NDArray[np.float32], seed: int, *, output: str, masked: bool, hidden: bool = False
) -> onnx.ModelProto:
    """input_ids -> sum of the words' vectors; padding counts nothing where ``masked``, else a little."""
    dim = directions.shape[1]
    vocabulary = [*SPECIALS, *WORDS]
    table = 0.3 * np.random.default_rng([seed, dim, 1]).standard_normal((len(vocabulary), dim))
    for word, rgb in (("red", (1, 0, 0)), ("green", (0, 1, 0)), ("blue", (0, 0, 1))):
        table[vocabulary.index(word)] = np.array([*rgb, 0.2]) @ directions
    table[: len(SPECIALS) - 1] = 0
    table[0] = 1 if masked else 0.001
    constants = [
        numpy_helper.from_array(table.astype(np.float32), "table"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["looked_up"])]
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["n", "tokens"])]
    if masked:
        constants.append(numpy_helper.from_array(np.array([2], np.int64), "last"))
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["n", "tokens"]))
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
            helper.make_node("Mul", ["looked_up", "mask3"], ["kept"]),
        ]
    nodes.append(helper.make_node("ReduceSum", ["kept" if masked else "looked_up", "axis"], [output], keepdims=0))
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", dim])]
    if hidden:
        nodes.append(helper.make_node("Identity", ["looked_up"], ["last_hidden_state"]))
        outputs.insert(0, helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "tokens", dim]))
    return _model(nodes, inputs, outputs, constants)


def _model(nodes: list, inputs: list, outputs: list, constants: list) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _preprocessor(*, crop: bool, size: int = 224) -> dict[str, object]:
    side = {"height": size, "width": size}
    config: dict[str, object] = {
        "image_processor_type": "CLIPImageProcessor" if crop else "SiglipImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": size} if crop else side,
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": _MEAN.tolist(),
        "image_std": _STD.tolist(),
    }
    return config | ({"do_center_crop": True, "crop_size": side} if crop else {})


def _write_tokenizer(folder: Path, context: int) -> None:
    vocabulary = {word: index for index, word in enumerate((*SPECIALS, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _write_json(folder / "tokenizer_config.json", {"model_max_length": context, "pad_token": "<pad>"})
    _write_json(folder / "special_tokens_map.json", {"pad_token": "<pad>", "unk_token": "<unk>"})
    _write_json(folder / "config.json", {"pad_token_id": 0})


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
