"""Vision Transformers of code bases that aren't installable packages.

Lukemelas reimplements PyTorch-Pretrained-ViT, DINOv2 facebookresearch/dinov2, and
Jeonsworld jeonsworld's ViT-pytorch, with their parameter names and their arithmetic.
Attention modules return (output, probabilities) so that the latter can be recorded.
google_arrays converts a timm model's weights to the names and shapes of
google-research's .npz files.
"""
import math

import numpy as np
import scipy.ndimage
import torch
import torch.nn.functional as F
from torch import nn


def heads_apart(x, heads):
    b, t, d = x.shape
    return x.reshape(b, t, heads, d // heads).transpose(1, 2)


def attend(q, k, v):
    p = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), -1)
    y = (p @ v).transpose(1, 2)
    return y.reshape(*y.shape[:2], -1), p


class LukemelasAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.proj_q, self.proj_k, self.proj_v = (nn.Linear(dim, dim) for _ in range(3))

    def forward(self, x):
        return attend(*(heads_apart(f(x), self.heads) for f in (self.proj_q, self.proj_k, self.proj_v)))


class MLP(nn.Module):
    def __init__(self, dim, mlp):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, mlp), nn.Linear(mlp, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class LukemelasBlock(nn.Module):
    def __init__(self, dim, heads, mlp):
        super().__init__()
        self.attn = LukemelasAttention(dim, heads)
        self.proj = nn.Linear(dim, dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.pwff = MLP(dim, mlp)

    def forward(self, x):
        x = x + self.proj(self.attn(self.norm1(x))[0])
        return x + self.pwff(self.norm2(x))


class LukemelasPositions(nn.Module):
    def __init__(self, tokens, dim):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.zeros(1, tokens, dim))


class LukemelasTransformer(nn.Module):
    def __init__(self, dim, depth, heads, mlp):
        super().__init__()
        self.blocks = nn.ModuleList(LukemelasBlock(dim, heads, mlp) for _ in range(depth))

    def forward(self, x):
        for b in self.blocks:
            x = b(x)
        return x


class Lukemelas(nn.Module):
    def __init__(self, size, patch, dim, depth, heads, mlp, classes, representation=False):
        super().__init__()
        self.classes, self.grid = classes, size // patch
        self.class_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.patch_embedding = nn.Conv2d(3, dim, patch, patch)
        self.positional_embedding = LukemelasPositions(1 + self.grid ** 2, dim)
        self.transformer = LukemelasTransformer(dim, depth, heads, mlp)
        if representation:
            self.pre_logits = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.fc = nn.Linear(dim, classes)

    def layers(self):
        return self.transformer.blocks

    def positions(self, grid):
        pos = self.positional_embedding.pos_embedding
        if grid == self.grid:
            return pos
        old = pos[0, 1:].reshape(self.grid, self.grid, -1).detach().numpy()
        new = scipy.ndimage.zoom(old, (grid / self.grid, grid / self.grid, 1), order=1)
        return torch.cat([pos[:, :1], torch.from_numpy(new).reshape(1, grid * grid, -1)], 1)

    def forward(self, images):
        x = self.patch_embedding(images)
        grid = x.shape[-1]
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], 1)
        x = self.transformer(x + self.positions(grid))
        if hasattr(self, "pre_logits"):
            x = torch.tanh(self.pre_logits(x))
        return self.fc(self.norm(x)[:, 0])


class DINOv2Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        y, p = attend(*(heads_apart(part, self.heads) for part in self.qkv(x).chunk(3, -1)))
        return self.proj(y), p


class SwiGLU(nn.Module):
    def __init__(self, dim, mlp):
        super().__init__()
        mlp = (int(mlp * 2 / 3) + 7) // 8 * 8
        self.w12, self.w3 = nn.Linear(dim, 2 * mlp), nn.Linear(mlp, dim)

    def forward(self, x):
        a, b = self.w12(x).chunk(2, -1)
        return self.w3(F.silu(a) * b)


class LayerScale(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * self.gamma


class DINOv2Block(nn.Module):
    def __init__(self, dim, heads, mlp, swiglu):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.attn = DINOv2Attention(dim, heads)
        self.ls1, self.ls2 = LayerScale(dim), LayerScale(dim)
        self.mlp = SwiGLU(dim, mlp) if swiglu else MLP(dim, mlp)

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x))[0])
        return x + self.ls2(self.mlp(self.norm2(x)))


class DINOv2PatchEmbed(nn.Module):
    def __init__(self, patch, dim):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, patch)


class DINOv2(nn.Module):
    """With registers: antialiased positions by size; without: by scale, offset 0.1."""

    classes = 0

    def __init__(self, size, patch, dim, depth, heads, mlp, registers=0, swiglu=False, chunk=0):
        super().__init__()
        self.grid, self.size = size // patch, size
        self.patch_embed = DINOv2PatchEmbed(patch, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid ** 2, dim))
        self.register_tokens = nn.Parameter(torch.zeros(1, registers, dim)) if registers else None
        self.mask_token = nn.Parameter(torch.zeros(1, dim))
        blocks = [DINOv2Block(dim, heads, mlp, swiglu) for _ in range(depth)]
        if chunk:  # blocks keep their index in the whole model: blocks.1.2 is the third block
            self.blocks = nn.ModuleList(
                nn.ModuleList([nn.Identity()] * i + blocks[i:i + chunk]) for i in range(0, depth, chunk))
        else:
            self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def layers(self):
        return [m for m in self.blocks.modules() if isinstance(m, DINOv2Block)]

    def positions(self, rows, cols):
        if rows == cols == self.grid:
            return self.pos_embed
        m = self.grid
        how = {"size": (rows, cols), "antialias": True} if self.register_tokens is not None else \
            {"scale_factor": (float(rows + 0.1) / m, float(cols + 0.1) / m)}
        x = F.interpolate(self.pos_embed[:, 1:].reshape(1, m, m, -1).permute(0, 3, 1, 2), mode="bicubic", **how)
        assert tuple(x.shape[-2:]) == (rows, cols)
        return torch.cat([self.pos_embed[:, :1], x.permute(0, 2, 3, 1).reshape(1, rows * cols, -1)], 1)

    def forward(self, images):
        x = self.patch_embed.proj(images)
        rows, cols = x.shape[-2:]
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], 1)
        x = x + self.positions(rows, cols)
        if self.register_tokens is not None:
            x = torch.cat([x[:, :1], self.register_tokens.expand(len(x), -1, -1), x[:, 1:]], 1)
        for b in self.layers():
            x = b(x)
        return self.norm(x)


class JeonsworldAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x):
        y, p = attend(*(heads_apart(f(x), self.heads) for f in (self.query, self.key, self.value)))
        return self.out(y), p


class JeonsworldBlock(nn.Module):
    def __init__(self, dim, heads, mlp):
        super().__init__()
        self.attention_norm, self.ffn_norm = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.ffn, self.attn = MLP(dim, mlp), JeonsworldAttention(dim, heads)

    def forward(self, x):
        x = x + self.attn(self.attention_norm(x))[0]
        return x + self.ffn(self.ffn_norm(x))


class JeonsworldEmbeddings(nn.Module):
    def __init__(self, patches, patch, dim):
        super().__init__()
        self.patch_embeddings = nn.Conv2d(3, dim, patch, patch)
        self.position_embeddings = nn.Parameter(torch.zeros(1, patches + 1, dim))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))


class JeonsworldEncoder(nn.Module):
    def __init__(self, dim, depth, heads, mlp):
        super().__init__()
        self.layer = nn.ModuleList(JeonsworldBlock(dim, heads, mlp) for _ in range(depth))
        self.encoder_norm = nn.LayerNorm(dim, eps=1e-6)


class JeonsworldTransformer(nn.Module):
    def __init__(self, size, patch, dim, depth, heads, mlp):
        super().__init__()
        self.embeddings = JeonsworldEmbeddings((size // patch) ** 2, patch, dim)
        self.encoder = JeonsworldEncoder(dim, depth, heads, mlp)


class Jeonsworld(nn.Module):
    """Resizes positions to another grid with scipy's zoom, as when it loads Google's files."""

    def __init__(self, size, patch, dim, depth, heads, mlp, classes):
        super().__init__()
        self.classes, self.grid = classes, size // patch
        self.transformer = JeonsworldTransformer(size, patch, dim, depth, heads, mlp)
        self.head = nn.Linear(dim, classes)

    def layers(self):
        return self.transformer.encoder.layer

    def forward(self, images):
        e = self.transformer.embeddings
        x = e.patch_embeddings(images)
        grid, positions = x.shape[-1], e.position_embeddings
        if grid != self.grid:
            old = positions[0, 1:].detach().numpy().reshape(self.grid, self.grid, -1)
            new = scipy.ndimage.zoom(old, (grid / self.grid, grid / self.grid, 1), order=1)
            positions = torch.cat([positions[:, :1], torch.from_numpy(new).reshape(1, grid * grid, -1)], 1)
        x = torch.cat([e.cls_token.expand(len(x), -1, -1), x.flatten(2).transpose(-1, -2)], 1) + positions
        for b in self.layers():
            x = b(x)
        return self.head(self.transformer.encoder.encoder_norm(x)[:, 0])


def google_arrays(state, heads):
    """A timm state dict under google-research's names, with kernels in flax's layout."""
    w = {k: v.numpy() for k, v in state.items()}
    dim = w["norm.weight"].shape[0]
    out = {"cls": w["cls_token"]} if "cls_token" in w else {}
    out |= {
        "Transformer/posembed_input/pos_embedding": w["pos_embed"],
        "embedding/kernel": w["patch_embed.proj.weight"].transpose(2, 3, 1, 0), "embedding/bias": w["patch_embed.proj.bias"],
        "Transformer/encoder_norm/scale": w["norm.weight"], "Transformer/encoder_norm/bias": w["norm.bias"],
    }

    def dense(ours, theirs):
        out[ours + "/kernel"], out[ours + "/bias"] = w[theirs + ".weight"].T, w[theirs + ".bias"]
    if "head.0.weight" in w:
        dense("pre_logits", "head.0")
        dense("head", "head.2")
    else:
        dense("head", "head")
    depth = 1 + max(int(k.split(".")[1]) for k in w if k.startswith("blocks."))
    for i in range(depth):
        ours, theirs = f"Transformer/encoderblock_{i}/", f"blocks.{i}."
        for a, b in (("LayerNorm_0", "norm1"), ("LayerNorm_2", "norm2")):
            out[f"{ours}{a}/scale"], out[f"{ours}{a}/bias"] = w[f"{theirs}{b}.weight"], w[f"{theirs}{b}.bias"]
        attn = ours + "MultiHeadDotProductAttention_1/"
        for j, part in enumerate(("query", "key", "value")):
            rows = slice(j * dim, (j + 1) * dim)
            out[f"{attn}{part}/kernel"] = w[theirs + "attn.qkv.weight"][rows].T.reshape(dim, heads, -1)
            out[f"{attn}{part}/bias"] = w[theirs + "attn.qkv.bias"][rows].reshape(heads, -1)
        out[attn + "out/kernel"] = w[theirs + "attn.proj.weight"].T.reshape(heads, -1, dim)
        out[attn + "out/bias"] = w[theirs + "attn.proj.bias"]
        dense(ours + "MlpBlock_3/Dense_0", theirs + "mlp.fc1")
        dense(ours + "MlpBlock_3/Dense_1", theirs + "mlp.fc2")
    return {k: np.ascontiguousarray(v) for k, v in out.items()}


def big_vision_arrays(arrays):
    """The result of google_arrays under big_vision's names."""
    names = {
        "Transformer/posembed_input/pos_embedding": "pos_embedding", "LayerNorm_2": "LayerNorm_1",
        "MultiHeadDotProductAttention_1": "MultiHeadDotProductAttention_0", "MlpBlock_3": "MlpBlock_0",
    }
    out = {}
    for name, value in arrays.items():
        for theirs, ours in names.items():
            name = name.replace(theirs, ours)
        out["params/" + name] = value
    return out
