"""The captioners that Gaze's is measured against, at CATR's full size with drawn
weights: CATR's own loop, and transformers' generate. Import with tools/golden on
the path.
"""
import torch
from transformers import AutoConfig, BertConfig, BertLMHeadModel, GenerationConfig, PretrainedConfig, PreTrainedModel, VisionEncoderDecoderModel
from transformers.modeling_outputs import BaseModelOutput

CATR = {
    "backbone": {"kind": "resnet", "bottleneck": True, "depths": [3, 4, 23, 3], "width": 64, "dilate": True},
    "dim": 256, "heads": 8, "hidden": 2048, "encoder_layers": 6, "decoder_layers": 6, "max_positions": 128, "vocab": 30522,
    "head_hidden": [512, 512], "norm_eps": 1e-5, "embed_norm_eps": 1e-12, "longest_side": 299,
    "start_id": 101, "end_id": 102, "pad_id": 0,
}


def recompute(model, picture, pieces):
    """CATR's predict.py: everything again for every piece, the picture too, on all
    128 slots. model is a Captioner, picture [1, 3, height, width]; the ids."""
    c = model.c
    tokens, pads = torch.zeros(1, c["max_positions"], dtype=torch.long), torch.ones(1, c["max_positions"], dtype=torch.bool)
    tokens[0, 0], pads[0, 0] = c["start_id"], False
    inside = torch.zeros(1, *picture.shape[2:], dtype=torch.bool)
    with torch.no_grad():
        for i in range(pieces):
            logits = model.decode(*model.encode(picture, inside)[:3], tokens, pads)[0]
            tokens[0, i + 1], pads[0, i + 1] = logits[0, i].argmax(), False
    return tokens[0, 1:pieces + 1].tolist()


class EncoderConfig(PretrainedConfig):
    model_type = "catr_encoder"


class Encoder(PreTrainedModel):
    """CATR's backbone and encoder as transformers wants them."""
    config_class, main_input_name = EncoderConfig, "pixel_values"

    def __init__(self, captioner):
        super().__init__(EncoderConfig(hidden_size=captioner.c["dim"]))
        self.inner = captioner

    def forward(self, pixel_values, **_):
        inside = torch.zeros(len(pixel_values), *pixel_values.shape[2:], dtype=torch.bool)
        return BaseModelOutput(last_hidden_state=self.inner.encode(pixel_values, inside)[0])


AutoConfig.register("catr_encoder", EncoderConfig)


def generator(captioner, maps):
    """transformers' VisionEncoderDecoderModel of CATR's size: the same encoder as
    captioner, a BERT of the decoder's dimensions with cross-attention and random
    weights. It differs in what it can't have: BERT's norms follow its layers, and its
    head is one layer of 256 to 30522 after one of 256, where CATR's has two of 512.
    maps: attention is returned, which costs the fused kernels."""
    c = captioner.c
    torch.manual_seed(1)
    decoder = BertLMHeadModel(BertConfig(
        vocab_size=c["vocab"], hidden_size=c["dim"], num_hidden_layers=c["decoder_layers"], num_attention_heads=c["heads"],
        intermediate_size=c["hidden"], max_position_embeddings=c["max_positions"], is_decoder=True, add_cross_attention=True,
        attn_implementation="eager" if maps else "sdpa"))
    return VisionEncoderDecoderModel(encoder=Encoder(captioner), decoder=decoder).eval()


def generate(model, pictures, pieces, maps):
    """Greedy captions of exactly that many pieces, keys and values cached: ids, and
    with maps how many cross-attentions came with them."""
    out = model.generate(pixel_values=pictures, generation_config=GenerationConfig(
        max_new_tokens=pieces, min_new_tokens=pieces, num_beams=1, do_sample=False, use_cache=True, decoder_start_token_id=101,
        pad_token_id=0, eos_token_id=102, output_attentions=maps, return_dict_in_generate=True))
    assert out.sequences.shape == (len(pictures), pieces + 1), out.sequences.shape
    return out.sequences[:, 1:].tolist(), len(out.cross_attentions) if maps else 0
