"""Small random Vision Transformers whose intermediates are all at hand.

The modules are timm's; Vision runs them step by step in float64 and returns every
block's input, normalised input, attention probabilities and output, so that explanations
can be written down from their formulas. check() holds it against timm's own forward
pass. Used by explain_methods.py; writes nothing.
"""
import dataclasses
import math

import timm.layers
import torch
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer

timm.layers.set_fused_attn(False)


class DistilledWithRegisters(VisionTransformerDistilled):
    """timm's distilled model with registers after its two tokens; all have positions."""

    def __init__(self, registers, **args):
        super().__init__(**args)
        patches = self.patch_embed.num_patches
        self.num_prefix_tokens = 2 + registers
        self.reg_token = torch.nn.Parameter(torch.zeros(1, registers, self.embed_dim))
        self.pos_embed = torch.nn.Parameter(torch.zeros(1, patches + self.num_prefix_tokens, self.embed_dim))

    def _pos_embed(self, x):
        prefix = [t.expand(len(x), -1, -1) for t in (self.cls_token, self.dist_token, self.reg_token)]
        return torch.cat([*prefix, x], 1) + self.pos_embed


class ClassAndMean(VisionTransformer):
    """The head of DINOv2's linear classifier: class token and mean of the patches."""

    def __init__(self, **args):
        super().__init__(**args)
        self.head = torch.nn.Linear(2 * self.embed_dim, self.num_classes)

    def forward_head(self, x, pre_logits=False):
        return self.head(torch.cat([x[:, 0], x[:, self.num_prefix_tokens:].mean(1)], 1))


@dataclasses.dataclass
class Pass:
    """A forward pass. Lists have an entry for each block."""
    inputs: list    # [batch, tokens, dim]
    norms: list     # [batch, tokens, dim]: after norm1
    attention: list  # [batch, heads, queries, keys]
    outputs: list   # [batch, tokens, dim]
    logits: torch.Tensor  # [batch, classes]
    after: list     # the head's logits of every block's output


class Vision:
    """A model with its kind of pooling."""

    def __init__(self, model):
        self.model = model.double().eval()
        self.prefix = model.num_prefix_tokens
        self.patch = model.patch_embed.patch_size
        self.size = model.patch_embed.img_size
        self.grid = tuple(s // p for s, p in zip(self.size, self.patch))
        self.patches = self.grid[0] * self.grid[1]
        self.tokens = self.prefix + self.patches
        self.heads = model.blocks[0].attn.num_heads

    def start(self):
        """The weights with which the head reads tokens, [tokens]."""
        s = torch.zeros(self.tokens, dtype=torch.float64)
        if isinstance(self.model, DistilledWithRegisters):
            s[:2] = 0.5
        elif isinstance(self.model, ClassAndMean):
            s[0], s[self.prefix:] = 0.5, 0.5 / self.patches
        else:
            s[0] = 1
        return s

    def answer(self, x, kept):
        """The logits of tokens; patches that aren't kept are left out of means."""
        m = self.model
        x = m.norm(x)
        if isinstance(m, DistilledWithRegisters):
            return (m.head(x[:, 0]) + m.head_dist(x[:, 1])) / 2
        if isinstance(m, ClassAndMean):
            mean = (x[:, self.prefix:] * kept[..., None]).sum(1) / kept.sum(1, keepdim=True)
            return m.head(torch.cat([x[:, 0], mean], 1))
        return m.head(x[:, 0])

    def block(self, b, x, masked):
        u = b.norm1(x)
        q, k, v = b.attn.qkv(u).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        p = scores.masked_fill(masked[:, None, None], -torch.inf).softmax(-1)
        x = x + b.ls1(b.attn.proj((p @ v).transpose(1, 2).flatten(2)))
        return u, p, x + b.ls2(b.mlp(b.norm2(x)))

    def run(self, images, drop=None, apart=False):
        """drop says which patches are taken out, bool [batch, patches]; apart stops
        gradients at every block's input."""
        m = self.model
        if drop is None:
            drop = torch.zeros(len(images), self.patches, dtype=torch.bool)
        masked = torch.nn.functional.pad(drop, (self.prefix, 0), value=False)
        kept = (~drop).double()
        x = m._pos_embed(m.patch_embed(images))
        out = Pass([], [], [], [], None, [])
        for b in m.blocks:
            x = x.detach().requires_grad_() if apart else x
            u, p, y = self.block(b, x, masked)
            for kept_in, value in ((out.inputs, x), (out.norms, u), (out.attention, p), (out.outputs, y)):
                kept_in.append(value)
            out.after.append(self.answer(y, kept))
            x = y
        out.logits = out.after[-1]
        return out

    def check(self, images):
        with torch.no_grad():
            ours, theirs = self.run(images).logits, self.model(images)
        worst = (ours - theirs).abs().max().item()
        assert worst < 1e-12, worst
        return worst


def randomise(model, seed):
    """Sets random values, exact in float16, that make sharp attention and large logits."""
    g = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        x = torch.randn(p.shape, generator=g)
        if p.ndim in (2, 4):
            gain = 1.7 if "qkv" in name else 2.0 if "head" in name else 1.2
            x *= gain / p[0].numel() ** 0.5
        elif name.endswith("gamma"):
            x = 0.8 + 0.2 * x
        elif p.ndim == 1 and name.endswith("weight"):
            x = 1 + 0.3 * x
        elif "pos_embed" in name or "token" in name:
            x *= 0.5
        else:
            x *= 0.3
        p.data.copy_(x.half().float())
    return model


COMMON = dict(patch_size=4, depth=3, mlp_ratio=1, num_classes=5)


def models():
    """The models by name."""
    return {
        "plain": Vision(randomise(VisionTransformer(
            img_size=(16, 16), embed_dim=18, num_heads=3, **COMMON), 1)),
        "registers": Vision(randomise(DistilledWithRegisters(
            4, img_size=(12, 20), embed_dim=20, num_heads=4, **COMMON), 2)),
        "classmean": Vision(randomise(ClassAndMean(
            img_size=(16, 16), embed_dim=18, num_heads=3, init_values=1, **COMMON), 3)),
    }
