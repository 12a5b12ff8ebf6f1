"""Captions photographs by transformers' generate and draws a map for each word: caption.py LIST FOLDER

The captioner has photos-captioner's sizes and random weights: timm's EfficientNet-Lite2 at
272 pixels, a projection, BART's decoder of 2 layers, 256 wide, 2819 word pieces, a beam of
10. Every caption has 11 pieces, the mean of photos-captioner's; it doesn't choose among the
beam by neighbours, as that does. So this is the same work in size, not the same captions."""
import os
import pathlib
import sys

import numpy as np
import timm
import torch
from common import batches, coloured, figure, tensors
from PIL import Image
from transformers import BartConfig, BartForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

SIDE, DIM, PIECES, BEAM = 272, 256, 11, 10
names, folder = [line.strip() for line in open(sys.argv[1])], pathlib.Path(sys.argv[2])
os.makedirs(folder, exist_ok=True)
torch.manual_seed(1)
net = timm.create_model("tf_efficientnet_lite2", num_classes=0, global_pool="").eval()
project = torch.nn.Conv2d(net.num_features, DIM, 1)
model = BartForConditionalGeneration(BartConfig(
    d_model=DIM, vocab_size=2819, max_position_embeddings=64, encoder_layers=0, decoder_layers=2, encoder_attention_heads=8,
    decoder_attention_heads=8, encoder_ffn_dim=4 * DIM, decoder_ffn_dim=4 * DIM, activation_function="relu", decoder_start_token_id=1, bos_token_id=1,
    eos_token_id=2, forced_eos_token_id=None, pad_token_id=0, attn_implementation="eager")).eval()


def maps(said, picture):
    """The last layer's attention to the cells at each step, of the beam that won: [pieces, rows, columns]."""
    side, out = int(said.cross_attentions[0][-1].shape[-1] ** 0.5), []
    for step, layers in enumerate(said.cross_attentions[:PIECES]):
        beam = max(int(said.beam_indices[picture, step]), 0)
        out.append(layers[-1][beam, :, 0].mean(0).reshape(side, side).numpy())
    return np.stack(out)


def draw(path, image, pieces, values):
    size = (384, 384 * image.height // image.width)
    photograph = image.resize(size, Image.BICUBIC)
    panels = [("<start>", photograph)]
    for piece, v in zip(pieces, values):
        heat = coloured(v, float(v.min()), float(v.max()), size, Image.BILINEAR)
        panels.append((str(piece), Image.blend(photograph, heat, 0.6)))
    name = pathlib.Path(path)
    figure(folder / (name.stem + ".png"), " ".join(map(str, pieces)), name.name + ", the last layer, mean of heads", panels, 4)


with torch.inference_mode():
    for paths, images in batches(names):
        cells = project(net(tensors(images, SIDE, 127 / 255, 128 / 255, Image.BICUBIC))).flatten(2).transpose(1, 2)
        said = model.generate(encoder_outputs=BaseModelOutput(last_hidden_state=cells), max_new_tokens=PIECES, min_new_tokens=PIECES,
                              num_beams=BEAM, do_sample=False, return_dict_in_generate=True, output_attentions=True)
        for i, (path, image) in enumerate(zip(paths, images)):
            pieces = said.sequences[i, 1:].tolist()
            print(path, " ".join(map(str, pieces)), sep="\t")
            draw(path, image, pieces, maps(said, i))
