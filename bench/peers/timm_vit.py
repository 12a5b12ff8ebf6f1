"""timm's Vision Transformer with a row's weights, and its [class] attention."""
import torch
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer


def build(m, weights):
    model = VisionTransformer(img_size=m["size"], patch_size=m["patch"], embed_dim=m["dim"], depth=m["depth"], num_heads=m["heads"],
                              num_classes=m["classes"])
    model.load_state_dict(load_file(weights))
    return model


class ClassRows(torch.nn.Module):
    """Pictures in, [batch, layers, heads, patches] out. Hooks read the maps, which exist
    only without scaled_dot_product_attention."""

    def __init__(self, model):
        super().__init__()
        self.model, self.rows = model, []
        for block in model.blocks:
            block.attn.fused_attn = False
            block.attn.attn_drop.register_forward_hook(lambda module, args, out: self.rows.append(out[:, :, 0, 1:]))

    def forward(self, images):
        self.rows.clear()
        self.model(images)
        return torch.stack(self.rows, 1)
