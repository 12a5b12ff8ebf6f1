"""The JAX worker: a small functional Vision Transformer with timm's weights, jit-compiled."""
from functools import partial

import jax
import jax.numpy as jnp
from protocol import serve, values
from safetensors.numpy import load_file


def norm(p, name, x):
    mean = x.mean(-1, keepdims=True)
    var = jnp.square(x - mean).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(var + 1e-6) * p[name + ".weight"] + p[name + ".bias"]


def linear(p, name, x):
    return x @ p[name + ".weight"].T + p[name + ".bias"]


def attend(p, name, heads, x):
    """Self-attention; returns its output and the probabilities [batch, heads, tokens, tokens]."""
    batch, tokens, dim = x.shape
    qkv = linear(p, name + ".qkv", x).reshape(batch, tokens, 3, heads, dim // heads)
    if x.dtype == jnp.bfloat16:  # cuDNN's attention on a GPU
        flash = "cudnn" if jax.default_backend() == "gpu" else "xla"
        out = jax.nn.dot_product_attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], implementation=flash)
        return linear(p, name + ".proj", out.reshape(batch, tokens, dim)), jnp.zeros((batch, heads, 1, tokens), x.dtype)
    q, k, v = qkv.transpose(2, 0, 3, 1, 4)
    probabilities = jax.nn.softmax(q @ k.swapaxes(-1, -2) * (dim // heads) ** -0.5)
    out = (probabilities @ v).swapaxes(1, 2).reshape(batch, tokens, dim)
    return linear(p, name + ".proj", out), probabilities


def block(heads, i, p, x):
    name = f"blocks.{i}."
    out, probabilities = attend(p, name + "attn", heads, norm(p, name + "norm1", x))
    x = x + out
    hidden = jax.nn.gelu(linear(p, name + "mlp.fc1", norm(p, name + "norm2", x)), approximate=False)
    return x + linear(p, name + "mlp.fc2", hidden), probabilities


def forward(m, p, images, checkpointing=False):
    """images [batch, 3, size, size]; returns logits and the [class] token's attention [batch, layers, heads, patches]."""
    batch, grid, patch = images.shape[0], m["size"] // m["patch"], m["patch"]
    x = images.reshape(batch, 3, grid, patch, grid, patch).transpose(0, 2, 4, 1, 3, 5).reshape(batch, grid * grid, -1)
    x = x @ p["patch_embed.proj.weight"].reshape(m["dim"], -1).T + p["patch_embed.proj.bias"]
    x = jnp.concatenate([jnp.broadcast_to(p["cls_token"], (batch, 1, m["dim"])), x], 1) + p["pos_embed"]
    rows = []
    for i in range(m["depth"]):
        one = partial(block, m["heads"], i)
        x, probabilities = (jax.checkpoint(one) if checkpointing else one)(p, x)
        rows.append(probabilities[:, :, 0, 1:])
    return linear(p, "head", norm(p, "norm", x[:, 0])), jnp.stack(rows, 1)


def as_told(task, tree):
    """Converts to the task's precision."""
    return jax.tree.map(lambda x: x.astype(task.get("precision", jnp.float32)), tree)


def run(task):
    m, p = task["model"], as_told(task, jax.device_put(load_file(task["weights"])))
    result = 1 if task["kind"] == "attention" else 0
    compiled, x = jax.jit(lambda p, x: forward(m, p, x)[result]), as_told(task, jnp.asarray(values(task)))

    def work():
        return compiled(p, x).block_until_ready()

    return work(), work


def adam(rate, p, g, state):
    """Adam with torch's defaults."""
    step, first, second = state
    step = step + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, g)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, g)
    scale, root = rate / (1 - 0.9**step), jnp.sqrt(1 - 0.999**step)
    p = jax.tree.map(lambda p, m, v: p - scale * m / (jnp.sqrt(v) / root + 1e-8), p, first, second)
    return p, (step, first, second)


def training(task):
    m, p, parts = task["model"], jax.device_put(load_file(task["weights"])), task["accumulate"]
    images, labels = jnp.asarray(values(task)), jnp.asarray(task["labels"])
    images, labels = images.reshape(parts, -1, *images.shape[1:]), labels.reshape(parts, -1)

    def loss(p, images, labels):
        logits, _ = forward(m, as_told(task, p), as_told(task, images), task["checkpointing"])
        logits = logits.astype(jnp.float32)
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean() / parts

    @partial(jax.jit, donate_argnums=(0, 1))
    def update(p, state, images, labels):
        if parts == 1:
            value, g = jax.value_and_grad(loss)(p, images[0], labels[0])
        else:
            def add(sums, batch):
                return jax.tree.map(jnp.add, sums, jax.value_and_grad(loss)(p, *batch)), None

            (value, g), _ = jax.lax.scan(add, (0.0, jax.tree.map(jnp.zeros_like, p)), (images, labels))
        return value, *adam(task["rate"], p, g, state)

    held = [p, (jnp.zeros(()), jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p))]

    def work():
        value, *held[:] = update(*held, images, labels)
        return float(value)

    return [work() for _ in range(task["losses"])], work


if __name__ == "__main__":
    serve(lambda task: (training if task["kind"] == "training" else run)(task))
