package vit_test

import (
	"fmt"
	"log"

	"gaze/pkg/backend"
	"gaze/pkg/convnet"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// small is a configuration small enough to run anywhere in no time.
var small = vit.Config{
	ImageSize: [2]int{32, 48}, PatchSize: [2]int{16, 16}, Channels: 3,
	Dim: 24, Depth: 2, Heads: 3, MLPDim: 96, Classes: 10,
	ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
}

// A checkpoint tells what it is before anything is run.
func ExampleModel_Describe() {
	m, err := vit.Load("testdata/hf_dinov2_registers/weights.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	d := m.Describe()
	fmt.Println(d.Format, d.Layout, d.Architecture)
	fmt.Println(d.Prefix)
	// Output:
	// safetensors huggingface-dinov2 ViT-16x2/4 with 4 registers
	// [class register 1 register 2 register 3 register 4]
}

// What the class token looks at, in every layer and head.
func ExampleRunner_Run() {
	m, err := vit.New(small, 1) // or vit.Load("model.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	b, err := backend.Default()
	if err != nil {
		log.Fatal(err)
	}
	r, err := vit.NewRunner(b, m)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	pictures := make([]float32, 2*3*32*48)
	out, err := r.Run(pictures, [4]int{2, 3, 32, 48}, vit.Want{Logits: true, ClassAttention: small.AllLayers()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("logits", out.Logits.Shape)
	fmt.Println("attention by picture, layer, head, patch", out.ClassAttention.Shape)
	fmt.Println("grid", out.Grid)
	// Output:
	// logits [2 10]
	// attention by picture, layer, head, patch [2 2 3 6]
	// grid [2 3]
}

// Position embeddings for larger pictures.
func ExampleModel_ResizedTo() {
	m, err := vit.New(small, 1)
	if err != nil {
		log.Fatal(err)
	}
	large, err := m.ResizedTo(64, 48)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(large.Warnings[0])
	positions, grid, err := large.PositionEmbeddings()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(positions), grid)
	// Output:
	// position embeddings resized from a grid of 2×3 to 4×3 patches (bicubic with antialiasing (timm)): the model was made for pictures of 32×48, these are 64×48
	// 288 [4 3]
}

func ExampleConfig_Architecture() {
	fmt.Println(vit.Config{Dim: 384, Depth: 12, PatchSize: [2]int{14, 14}, Registers: 4}.Architecture())
	// Output: ViT-S/14 with 4 registers
}

// A pipeline that the model can't take says so before any picture is read.
func ExampleConfig_CheckPipeline() {
	p, err := transform.Parse("resize(60) | centercrop(50) | totensor")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(small.CheckPipeline(p))
	// Output:
	// the pipeline makes pictures of 50×50 pixels, which can't be cut into patches of 16×16: the nearest sizes that can are 48×48 or 64×64
}

// How a checkpoint's pictures are prepared, out of the files beside it.
func ExampleModel_Preprocessing() {
	m, err := vit.Load("testdata/hf_dinov2_registers/weights.safetensors")
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	p, err := m.Preprocessing()
	if err != nil {
		log.Fatal(err) // names the file and the key; m.WithPipeline helps
	}
	fmt.Println(p)
	// Output:
	// background(255) | resize(256,bicubic) | centercrop(224,floor) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])
}

// A training checkpoint may hold several sets of weights and a head of another name.
func ExampleOpen() {
	m, err := vit.Open("testdata/torchvision_head/weights.pth", vit.LoadOptions{Weights: "module.model"})
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	d := m.Describe()
	fmt.Println(d.Layout, d.Weights, d.Classes)
	_, err = vit.Open("testdata/torchvision_head/weights.pth", vit.LoadOptions{Weights: "ema"})
	fmt.Println(err)
	// Output:
	// torchvision module.model 5
	// testdata/torchvision_head/weights.pth: it holds no set of weights called "ema", only module.model
}

// A hybrid on an EfficientNet-Lite: its own feature map's cells are the patches. The network's
// weights come from a checkpoint of its own; here they are random.
func ExampleModel_WithStem() {
	stem := convnet.EfficientNetLiteOf(0).WithoutHead().WithOutputStride(16)
	cfg, err := vit.ParseConfig("vit:size=256,patch=16,dim=192,depth=3,heads=3")
	if err != nil {
		log.Fatal(err)
	}
	cfg.Stem, cfg.Classes = &stem, 37
	m, err := vit.New(cfg, 1)
	if err != nil {
		log.Fatal(err)
	}
	network, err := convnet.New(stem, 0, 1)
	if err != nil {
		log.Fatal(err)
	}
	list, err := network.Tensors()
	if err != nil {
		log.Fatal(err)
	}
	if m, err = m.WithStem(list); err != nil {
		log.Fatal(err)
	}
	d := m.Describe()
	fmt.Printf("%s, %.1f million parameters, %d×%d patches of a map of %v\n", d.Architecture, float64(d.Parameters)/1e6, d.Grid[0], d.Grid[1], m.Config.FeatureShape())
	// Output: EfficientNet-Lite0+ViT-192x3/16, 4.5 million parameters, 16×16 patches of a map of [16 16 320]
}
