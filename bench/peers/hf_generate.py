"""transformers' generate, with its key-value cache, on a model of the captioner's size:
torchvision's ResNet, then BART's encoder and decoder with the captioner's widths, layers,
vocabulary and head. It is another model, so its tokens aren't checked."""
import torch
from catr import CONFIGS
from protocol import serve, values
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops import FrozenBatchNorm2d
from transformers import BartConfig, BartForConditionalGeneration


def language_model(c):
    config = BartConfig(
        d_model=c["dim"], vocab_size=c["vocab"], max_position_embeddings=1024, encoder_layers=c["encoder_layers"],
        decoder_layers=c["decoder_layers"], encoder_attention_heads=c["heads"], decoder_attention_heads=c["heads"],
        encoder_ffn_dim=c["hidden"], decoder_ffn_dim=c["hidden"], activation_function="relu", tie_word_embeddings=False,
        decoder_start_token_id=101, bos_token_id=101, eos_token_id=102, forced_eos_token_id=None, pad_token_id=0)
    model = BartForConditionalGeneration(config)
    widths = [c["dim"], *c["head_hidden"], c["vocab"]]
    head = [torch.nn.Linear(i, o) for i, o in zip(widths, widths[1:])]
    model.lm_head = torch.nn.Sequential(head[0], torch.nn.ReLU(), head[1], torch.nn.ReLU(), head[2])
    return model.eval()


def prepare(task):
    torch.set_num_threads(task["threads"])
    torch.manual_seed(1)
    c, images = CONFIGS[task["captioner"]], torch.from_numpy(values(task))
    net = ResNet(Bottleneck, c["backbone"]["depths"], norm_layer=FrozenBatchNorm2d, replace_stride_with_dilation=[False, False, True])
    body = IntermediateLayerGetter(net, {"layer4": "out"}).eval()
    project, model = torch.nn.Conv2d(2048, c["dim"], 1), language_model(c)

    def work():
        with torch.inference_mode():
            cells = project(body(images)["out"]).flatten(2).transpose(1, 2)
            return model.generate(inputs_embeds=cells, max_new_tokens=task["pieces"], min_new_tokens=task["pieces"], do_sample=False,
                                  num_beams=1)

    said = work()
    assert said.shape == (len(images), task["pieces"] + 1), said.shape
    return said[:, 1:].flatten(), work


if __name__ == "__main__":
    serve(prepare)
