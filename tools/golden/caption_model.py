"""The captioner in PyTorch: CATR's architecture, implemented from its description, with
the names in its checkpoints. It also has the generator of weights that the Go tests
repeat, so that no weights need to be stored.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d


def stream(name, count):
    """Values in [-1, 1) that depend only on a name and a position."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(h) + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)


def drawn(name, shape):
    """The values of a parameter, scaled so that every parameter affects the result and none dominates."""
    u = stream(name, int(np.prod(shape))).reshape(shape)
    f = np.float32
    if len(shape) == 1:
        if name.endswith("running_var"):
            return f(1) + f(0.3) * u
        if name.endswith(".weight"):
            scale = 0.5 if ".bn2." in name or ".bn3." in name else 1.0
            return f(scale) * (f(1) + f(0.3) * u)
        return f(0.1) * u
    if "embeddings" in name:
        return u
    gain = 6.0 if len(shape) == 4 else 3.0
    if "in_proj" in name:
        gain = 8.0
    return u * f(math.sqrt(gain / np.prod(shape[1:])))


class PatchBlock(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.norm = nn.LayerNorm(n)
        self.conv1 = nn.Conv2d(n, n, 3, padding=1)
        self.conv2 = nn.Conv2d(n, n, 3, padding=1)

    def forward(self, x):
        y = self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return x + self.conv2(F.relu(self.conv1(y)))


class PatchStage(nn.Sequential):
    def __init__(self, conv, n, blocks):
        super().__init__(*[PatchBlock(n) for _ in range(blocks)])
        self.conv = conv

    def forward(self, x):
        x = self.conv(x)
        for name, block in self.named_children():
            if name != "conv":
                x = block(x)
        return x


class PatchNet(nn.Module):
    def __init__(self, patch, stages):
        super().__init__()
        self.patch, before = patch, 3
        for i, (n, blocks) in enumerate(stages):
            conv = nn.Conv2d(before, n, patch, patch) if i == 0 else nn.Conv2d(before, n, 3, 2, 1)
            self.add_module(f"stage_{i}", PatchStage(conv, n, blocks))
            before = n
        self.norm, self.channels = nn.LayerNorm(before), before

    def forward(self, x):
        x = F.pad(x, (0, -x.shape[3] % self.patch, 0, -x.shape[2] % self.patch))
        for name, stage in self.named_children():
            if name != "norm":
                x = stage(x)
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ResNetBody(nn.Module):
    def __init__(self, bottleneck, depths, width, dilate):
        super().__init__()
        net = ResNet.__new__(ResNet)
        nn.Module.__init__(net)
        net._norm_layer, net.inplanes, net.dilation = FrozenBatchNorm2d, width, 1
        net.groups, net.base_width = 1, 64
        block = Bottleneck if bottleneck else BasicBlock
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = FrozenBatchNorm2d(width)
        for i, d in enumerate(depths):
            layer = net._make_layer(block, width << i, d, stride=1 if i == 0 else 2, dilate=dilate and i == 3)
            setattr(self, f"layer{i + 1}", layer)
        self.channels = (width << 3) * block.expansion

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def sine_positions(padding, dim):
    """DETR's normalised sine position embeddings, [batch, dim, rows, columns]."""
    half, inside = dim // 2, (~padding).float()
    coordinates = [inside.cumsum(1), inside.cumsum(2)]
    coordinates[0] = coordinates[0] / (coordinates[0][:, -1:, :] + 1e-6) * (2 * math.pi)
    coordinates[1] = coordinates[1] / (coordinates[1][:, :, -1:] + 1e-6) * (2 * math.pi)
    k = torch.arange(half)
    period = 10000 ** (2 * (k // 2) / half)
    waves = []
    for c in coordinates:
        angle = c[..., None] / period
        waves.append(torch.stack([angle[..., 0::2].sin(), angle[..., 1::2].cos()], -1).flatten(3))
    return torch.cat(waves, 3).permute(0, 3, 1, 2)


class FeedForward(nn.Module):
    def __init__(self, dim, heads, hidden, eps, cross):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        if cross:
            self.multihead_attn = nn.MultiheadAttention(dim, heads, batch_first=True)
            self.norm3 = nn.LayerNorm(dim, eps)
        self.linear1, self.linear2 = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps), nn.LayerNorm(dim, eps)

    def mlp(self, x):
        return self.linear2(F.relu(self.linear1(x)))


class EncoderLayer(FeedForward):
    def forward(self, x, pos, padding):
        y = self.norm1(x)
        a, w = self.self_attn(y + pos, y + pos, y, key_padding_mask=padding, average_attn_weights=False)
        x = x + a
        return x + self.mlp(self.norm2(x)), w


class DecoderLayer(FeedForward):
    def forward(self, x, query_pos, memory, pos, padding, future, pad_tokens):
        y = self.norm1(x)
        a, own = self.self_attn(y + query_pos, y + query_pos, y, attn_mask=future, key_padding_mask=pad_tokens,
                                average_attn_weights=False)
        x = x + a
        a, seen = self.multihead_attn(self.norm2(x) + query_pos, memory + pos, memory, key_padding_mask=padding,
                                      average_attn_weights=False)
        x = x + a
        return x + self.mlp(self.norm3(x)), own, seen


class Embeddings(nn.Module):
    def __init__(self, vocab, positions, dim, eps):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab, dim)
        self.position_embeddings = nn.Embedding(positions, dim)
        self.LayerNorm = nn.LayerNorm(dim, eps)


class Stack(nn.Module):
    def __init__(self, layers, dim, eps):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if len(layers):
            self.norm = nn.LayerNorm(dim, eps)


class Captioner(nn.Module):
    """c is the configuration in the JSON form of the Go package."""

    def __init__(self, c):
        super().__init__()
        self.c, b = c, c["backbone"]
        if b["kind"] == "patch":
            body = PatchNet(b["patch_size"], [(s["channels"], s["blocks"]) for s in b["stages"]])
        else:
            body = ResNetBody(b.get("bottleneck", False), b["depths"], b["width"], b.get("dilate", False))
        inner = nn.Module()
        inner.body = body
        self.backbone = nn.ModuleList([inner])
        dim, args = c["dim"], (c["dim"], c["heads"], c["hidden"], c["norm_eps"])
        self.input_proj = nn.Conv2d(body.channels, dim, 1)
        t = self.transformer = nn.Module()
        t.encoder = Stack([EncoderLayer(*args, False) for _ in range(c["encoder_layers"])], dim, c["norm_eps"])
        t.decoder = Stack([DecoderLayer(*args, True) for _ in range(c["decoder_layers"])], dim, c["norm_eps"])
        t.embeddings = Embeddings(c["vocab"], c["max_positions"], dim, c["embed_norm_eps"])
        widths = [dim, *c.get("head_hidden", []), c["vocab"]]
        self.mlp = nn.Module()
        self.mlp.layers = nn.ModuleList([nn.Linear(i, o) for i, o in zip(widths, widths[1:])])
        with torch.no_grad():
            for name, p in self.state_dict().items():
                p.copy_(torch.from_numpy(drawn(name, tuple(p.shape)).reshape(p.shape)))
        self.eval()

    def encode(self, images, padding, blocked=None):
        """padding is a mask of pixels, True outside the picture. blocked is a mask of cells
        [batch, cells], True where attention is masked; positions don't depend on it."""
        x = self.backbone[0].body(images)
        cells = F.interpolate(padding[None].float(), size=x.shape[-2:])[0].bool()
        pos = sine_positions(cells, self.c["dim"]).flatten(2).transpose(1, 2)
        x, cells = self.input_proj(x).flatten(2).transpose(1, 2), cells.flatten(1)
        if blocked is not None:
            cells = cells | blocked
        maps = []
        for layer in self.transformer.encoder.layers:
            x, w = layer(x, pos, cells)
            maps.append(w)
        if maps:
            x = self.transformer.encoder.norm(x)
        return x, pos, cells, maps

    def decode(self, memory, pos, cells, tokens, pad_tokens):
        e, n = self.transformer.embeddings, tokens.shape[1]
        query_pos = e.position_embeddings.weight[:n][None]
        x = e.LayerNorm(e.word_embeddings(tokens) + query_pos)
        future = torch.full((n, n), float("-inf")).triu(1)
        pad_tokens = torch.zeros(pad_tokens.shape).masked_fill(pad_tokens, float("-inf"))
        own, seen = [], []
        for layer in self.transformer.decoder.layers:
            x, o, s = layer(x, query_pos, memory, pos, cells, future, pad_tokens)
            own.append(o)
            seen.append(s)
        x = self.transformer.decoder.norm(x)
        for i, layer in enumerate(self.mlp.layers):
            x = layer(F.relu(x) if i else x)
        return x, own, seen

    def greedy(self, images, padding, steps, blocked=None):
        """Computes everything again for every token, at all positions, as CATR does."""
        n, rows = self.c["max_positions"], len(images)
        tokens = torch.zeros(rows, n, dtype=torch.long)
        pad = torch.ones(rows, n, dtype=torch.bool)
        tokens[:, 0], pad[:, 0] = self.c["start_id"], False
        memory = self.encode(images, padding, blocked)[:3]
        gap = math.inf
        for i in range(steps):
            logits = self.decode(*memory, tokens, pad)[0][:, i]
            top = logits.topk(2).values
            gap = min(gap, (top[:, 0] - top[:, 1]).min().item())
            tokens[:, i + 1], pad[:, i + 1] = logits.argmax(-1), False
        return tokens[:, 1:steps + 1], gap
