"""The loop of CATR's predict.py in torch: it computes the picture and all slots of the
decoder again for every token. The model is that of tools/golden, with CATR's names."""
import torch
from caption_model import Captioner
from protocol import serve, values

LAYERS = {"encoder_layers": 6, "decoder_layers": 6, "max_positions": 128, "vocab": 30522, "head_hidden": [512, 512]}
IDS = {"norm_eps": 1e-5, "embed_norm_eps": 1e-12, "start_id": 101, "end_id": 102, "pad_id": 0}
CONFIGS = {
    "catr": {"backbone": {"kind": "resnet", "bottleneck": True, "depths": [3, 4, 23, 3], "width": 64, "dilate": True},
             "dim": 256, "heads": 8, "hidden": 2048} | LAYERS | IDS,
    "small": {"backbone": {"kind": "resnet", "bottleneck": True, "depths": [1, 1, 1, 1], "width": 64, "dilate": True},
              "dim": 64, "heads": 2, "hidden": 128} | LAYERS | IDS
             | {"encoder_layers": 1, "decoder_layers": 2, "max_positions": 16, "vocab": 500, "head_hidden": [64, 64]},
}


def prepare(task):
    torch.set_num_threads(task["threads"])
    model, images = Captioner(CONFIGS[task["captioner"]]), torch.from_numpy(values(task))
    slots, pixels = model.c["max_positions"], torch.zeros(len(images), *images.shape[2:], dtype=torch.bool)

    def work():
        tokens, pads = torch.zeros(len(images), slots, dtype=torch.long), torch.ones(len(images), slots, dtype=torch.bool)
        tokens[:, 0], pads[:, 0] = model.c["start_id"], False
        with torch.inference_mode():
            for i in range(task["pieces"]):
                logits = model.decode(*model.encode(images, pixels)[:3], tokens, pads)[0]
                tokens[:, i + 1], pads[:, i + 1] = logits[:, i].argmax(-1), False
        return tokens[:, 1:task["pieces"] + 1]

    return work().flatten(), work


if __name__ == "__main__":
    serve(prepare)
