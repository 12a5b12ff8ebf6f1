package weights_test

import (
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/weights"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	head := weights.NewTensor("head.bias", []int{3}, []float32{0.5, -1, 2})
	if err := weights.WriteSafetensors(path, []*weights.Tensor{head}, nil); err != nil {
		fmt.Println(err)
		return
	}

	file, err := weights.Open(dir) // a file, an index, or a folder with one of them
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	for _, name := range file.Names() {
		t, _ := file.Tensor(name)
		values, err := t.Float32s()
		fmt.Println(file.Format(), t.Name, t.DType, t.Shape, values, err)
	}
	// Output: safetensors head.bias float32 [3] [0.5 -1 2] <nil>
}

func ExampleOpenAll() {
	file, err := weights.OpenAll("testdata/torch_teacher.pth")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	fmt.Println(file.Keys())
	fmt.Println(file.Names())
	// Output:
	// [student teacher epoch dino_loss]
	// [student.w teacher.w dino_loss.center]
}

func ExampleVerify() {
	v, err := weights.Verify("testdata/torch_types.pth")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.Checksums > 0, v.Damaged)
	// Output: true []
}
