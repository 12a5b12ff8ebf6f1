"""Golden cases for pkg/caption, from caption_model.py.

Writes to pkg/caption/testdata: <case>.json (the configuration) and <case>.npz
(pictures, padding, tokens and the model's results), catr_keys.txt (names and shapes
of the full-size model's tensors), catr.pth (a tiny checkpoint nested like CATR's),
beam.json and preprocess.json; and to pkg/caption/wordpiece/testdata: wordpiece.json.
Weights aren't stored; the tests generate the same ones. Run from the repository root; the
vocabulary is read from $GAZE_VOCAB.
"""
import hashlib
import json
import os
import pathlib

import numpy as np
import torch
from PIL import Image
from transformers import BertTokenizer, GenerationConfig, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from caption_model import Captioner, stream

torch.set_num_threads(1)
OUT = pathlib.Path("pkg/caption/testdata")
SMALL = dict(dim=16, heads=2, hidden=24, encoder_layers=2, decoder_layers=2, max_positions=12, vocab=40,
             norm_eps=1e-5, embed_norm_eps=1e-12, longest_side=64, start_id=1, end_id=2, pad_id=0)


def resnet(bottleneck, depths, width, dilate=False):
    return {"kind": "resnet", "bottleneck": bottleneck, "depths": depths, "width": width, "dilate": dilate}


CASES = {
    "resnet18": ({**SMALL, "backbone": resnet(False, [2, 2, 2, 2], 4)}, [(64, 64), (64, 64)]),
    "resnet50_dilated": ({**SMALL, "backbone": resnet(True, [3, 4, 6, 3], 4, True), "head_hidden": [20, 18]},
                         [(45, 64), (45, 64)]),
    "resnet_padded": ({**SMALL, "backbone": resnet(True, [1, 1, 2, 2], 4, True), "decoder_layers": 3},
                      [(64, 50), (33, 64), (64, 64)]),
    "patch": ({**SMALL, "backbone": {"kind": "patch", "patch_size": 4, "stages": [
        {"channels": 8, "blocks": 1}, {"channels": 12, "blocks": 2}]}, "encoder_layers": 1}, [(42, 61), (42, 61)]),
    "patch_padded": ({**SMALL, "backbone": {"kind": "patch", "patch_size": 8, "stages": [
        {"channels": 8, "blocks": 0}]}, "encoder_layers": 0, "dim": 24, "heads": 3}, [(64, 24), (40, 64)]),
}


def pictures(sizes, name):
    """Pictures in the smallest frame that fits them all, and the frame's padding mask."""
    height, width = max(s[0] for s in sizes), max(s[1] for s in sizes)
    images, padding = torch.zeros(len(sizes), 3, height, width), torch.ones(len(sizes), height, width, dtype=torch.bool)
    for i, (h, w) in enumerate(sizes):
        images[i, :, :h, :w] = torch.from_numpy(stream(f"{name} picture {i}", 3 * h * w).reshape(3, h, w))
        padding[i, :h, :w] = False
    return images, padding


def tokens_of(c, rows, length, name):
    u = (stream(f"{name} tokens", rows * length).reshape(rows, length) + 1) / 2
    tokens = torch.from_numpy((u * c["vocab"]).astype(np.int64))
    tokens[:, 0] = c["start_id"]
    pad = torch.zeros(rows, length, dtype=torch.bool)
    pad[0, length - 2:] = True
    tokens[pad] = c["pad_id"]
    return tokens, pad


def case(name, c, sizes):
    model = Captioner(c)
    images, padding = pictures(sizes, name)
    tokens, pad = tokens_of(c, len(sizes), 7, name)
    with torch.no_grad():
        memory, pos, cells, maps = model.encode(images, padding)
        logits, own, seen = model.decode(memory, pos, cells, tokens, pad)
        greedy, gap = model.greedy(images, padding, c["max_positions"] - 1)
    assert gap > 1e-4, (name, gap)
    print(name, "greedy", greedy.tolist(), "gap", gap, "memory", memory.std().item())
    arrays = {"sizes": np.array(sizes, np.int64), "tokens": tokens, "memory": memory, "positions": pos, "logits": logits,
              "greedy": greedy, "padding": cells.long()}
    arrays |= {f"encoder_{i}": m for i, m in enumerate(maps)}
    arrays |= {f"self_{i}": m for i, m in enumerate(own)} | {f"cross_{i}": m for i, m in enumerate(seen)}
    np.savez_compressed(OUT / f"{name}.npz", **{k: np.asarray(v) for k, v in arrays.items()})
    (OUT / f"{name}.json").write_text(json.dumps(c, indent=1) + "\n")


def tiny_checkpoint():
    c = {**SMALL, "backbone": resnet(False, [1, 1, 1, 1], 2), "encoder_layers": 1, "decoder_layers": 1, "dim": 32, "heads": 1, "vocab": 110}
    model = Captioner(c)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    torch.save({"model": model.state_dict(), "optimizer": optimiser.state_dict(), "lr_scheduler": {"step_size": 20}, "epoch": 3},
               OUT / "catr.pth")


def full_size():
    """Full-size CATR: a few hundred values for one picture, and the list of its tensors."""
    c = {**SMALL, "backbone": resnet(True, [3, 4, 23, 3], 64, True), "dim": 256, "heads": 8, "hidden": 2048, "encoder_layers": 6,
         "decoder_layers": 6, "max_positions": 128, "vocab": 30522, "head_hidden": [512, 512], "longest_side": 299,
         "start_id": 101, "end_id": 102, "pad_id": 0}
    model = Captioner(c)
    state = model.state_dict()
    (OUT / "catr_keys.txt").write_text("".join(f"{k} {list(v.shape)}\n" for k, v in state.items()))
    images, padding = pictures([(224, 299)], "full")
    with torch.no_grad():
        memory, pos, cells, _ = model.encode(images, padding)
        steps = 8
        greedy, gap = model.greedy(images, padding, steps)
        tokens = torch.cat([torch.tensor([[101]]), greedy[:, :-1]], 1)
        logits, _, seen = model.decode(memory, pos, cells, tokens, torch.zeros(1, steps, dtype=torch.bool))
    assert gap > 1e-4, gap
    print("full greedy", greedy.tolist(), "gap", gap, "memory", memory.std().item(), "logits", logits.std().item())
    pick = lambda x, n: x.flatten()[:: max(1, x.numel() // n)][:n]
    arrays = {"memory": pick(memory, 100), "logits": pick(logits, 200), "greedy": greedy,
              "cross": torch.stack([pick(s, 40) for s in seen])}
    np.savez_compressed(OUT / "full.npz", **{k: np.asarray(v) for k, v in arrays.items()})


TEXTS = [
    "A man riding a bike down a street.", "Two girls' umbrellas, aren't they?  (Red & blue!)", "", "   \t\n ",
    "Skis skiing SKIER unbelievably antidisestablishmentarianism", "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m cr\u00e8me br\u00fbl\u00e9e",
    "cafe\u0301 decomposed, \u0130stanbul, stra\u00dfe, \u03a3\u03a3\u03c2, \u0416\u0436", "\u4e00\u53ea\u732b\u5750\u5728mat\u4e0a",
    "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c \ud55c\uad6d\uc5b4 \u30ab\u30bf\u30ab\u30ca", "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \u0928\u092e\u0938\u094d\u0924\u0947",
    "\U0001f600 emoji \U0001f468\u200d\U0001f469\u200d\U0001f467 joined", "a" * 100, "a" * 101, "\u0430" * 60, "\u00e9" * 100 + " x " + "\u00e9" * 101,
    "don't do not can't I'm you've we're it's 'quoted' rock'n'roll", "$5.00 ^caret `tick` ~tilde |bar| <b> {x} [y] \\ / @ # %",
    "[SEP] in [CLS] text [MASK]s [UNK] [PAD] [sep] [ MASK ]", "zero\u200bwidth\u00adsoft\ufeffbom\x00nul\x07bell\x7fdel\ufffdbad",
    "no\u00a0break\u3000wide\u2003em\u2028line\u0085next\x0bvt\x0cff", "\u00bfQu\u00e9? \u00a1Ol\u00e9! \u2014 \u201ccurly\u201d \u2026 \u00ab\u00bb \u20ac\u00a3\u00b0\u00b1",
    "\u2075\u00bd \u2167 \ufb01ne \uff21\uff22 \u1d2c", "##s ##ing # # s##", "x\u0301\u0302\u0303 \u0301alone", "\ue000private\U000e0001tag",
    "\u2f800 \U0002f800 \U00020000 \uf900 \u3400", "3.14159 1,000,000 12:30 2-3 e-mail", "Mr. O'Neil's dog. (It ran.) \"Fast\"",
    "qwrtzx bcdfgh \u2603\ufe0f \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "A. B . C , D ! E ? F ' s G 's H n't I 've J 're K 'm",
]


def wordpiece():
    """Texts to ids and back, with spaces cleaned up, as was usual when CATR was published."""
    tokenizer = BertTokenizer(os.environ["GAZE_VOCAB"])
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False)
        back = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)
        cases.append({"text": text, "ids": ids, "decoded": back})
    (OUT.parent / "wordpiece/testdata/wordpiece.json").write_text(json.dumps(cases, indent=1) + "\n")


class TreeConfig(PretrainedConfig):
    model_type = "tree"
    vocab_size, num_hidden_layers = 12, 1


class Tree(PreTrainedModel, GenerationMixin):
    """A language model with independent random logits for every prefix."""
    config_class = TreeConfig

    def __init__(self, name):
        super().__init__(TreeConfig())
        self.name, self.unused = name, torch.nn.Parameter(torch.zeros(1))

    def forward(self, input_ids, **_):
        rows = [stream(self.name + " " + " ".join(map(str, r)), 12) * 3 for r in input_ids.tolist()]
        return CausalLMOutput(logits=torch.from_numpy(np.stack(rows))[:, None])

    def prepare_inputs_for_generation(self, input_ids, **_):
        return {"input_ids": input_ids}


def beams():
    cases = []
    for i in range(80):
        name, width = f"tree {i}", [2, 3, 5, 1][i % 4]
        penalty, limit = [0.0, 1.0, 2.0, -1.0, 0.6][i % 5], [4, 9, 15][i % 3]
        out = Tree(name).eval().generate(torch.tensor([[1]]), generation_config=GenerationConfig(
            num_beams=width, length_penalty=penalty, max_new_tokens=limit, eos_token_id=2, pad_token_id=0, use_cache=False,
            do_sample=False, early_stopping=False, return_dict_in_generate=True, output_scores=True))
        ids = out.sequences[0].tolist()[1:]
        if 2 in ids:
            ids = ids[:ids.index(2) + 1]
        score = float(out.sequences_scores[0]) if width > 1 else None
        cases.append({"name": name, "width": width, "penalty": penalty, "limit": limit, "ids": ids, "score": score})
    (OUT / "beam.json").write_text(json.dumps(cases) + "\n")


def preprocess():
    """CATR's resize to 299 pixels, as a digest of the bytes before normalisation."""
    cases = []
    for w, h in [(640, 480), (480, 640), (299, 299), (100, 100), (1, 1), (1000, 7), (333, 500), (49, 50), (298, 161), (1, 4)]:
        u = stream(f"preprocess {w}x{h}", w * h * 3)
        im = Image.fromarray(((u + 1) * 127.5).astype(np.uint8).reshape(h, w, 3))
        shape = np.array(im.size, dtype=float)
        size = (shape * (299 / max(shape))).astype(int).tolist()
        pixels = np.asarray(im.resize(size, Image.Resampling.BICUBIC))
        first = ((pixels[0, 0] / np.float32(255) - np.float32(0.5)) / np.float32(0.5)).tolist()
        cases.append({"width": w, "height": h, "size": size, "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(), "first": first})
    (OUT / "preprocess.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for name, (c, sizes) in CASES.items():
        case(name, c, sizes)
    tiny_checkpoint()
    wordpiece()
    beams()
    preprocess()
    full_size()
