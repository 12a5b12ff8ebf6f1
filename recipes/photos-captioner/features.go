package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"

	"gaze/internal/meter"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/convnet"
	"gaze/pkg/data"
	"gaze/pkg/transform"
	"gaze/pkg/weights"
)

// features are the maps that the backbone makes of all pictures, in a file of float16:
// [pictures, cells, channels]. It is written picture by picture, so
// that a run that was stopped goes on where it was.
type features struct {
	file            *os.File
	cells, channels int
}

// record is the number of bytes of a picture.
func (f *features) record() int64 { return int64(f.cells * f.channels * 2) }

// extract computes the features of the pictures that the file in folder doesn't have yet.
// Its name tells the backbone, the pictures and their preprocessing.
func extract(ctx context.Context, device compute.Backend, net *convnet.Model, b backbone.Config, pictures []data.Captioned, folder string) (*features, error) {
	grid := b.Grid(b.Side, b.Side)
	f := &features{cells: grid[0] * grid[1], channels: b.Channels()}
	key, err := featureKey(net, b, pictures)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "features-"+key+".f16")
	if f.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	info, err := f.file.Stat()
	if err != nil {
		return nil, err
	}
	done := int(info.Size() / f.record())
	if done >= len(pictures) {
		return f, nil
	}
	if _, err := f.file.Seek(int64(done)*f.record(), io.SeekStart); err != nil {
		return nil, err
	}
	runner, err := convnet.NewRunner(device, net)
	if err != nil {
		return nil, err
	}
	defer runner.Close()
	return f, f.append(ctx, runner, b, pictures, done)
}

// chunk is the number of pictures whose features are made at a time.
const chunk = 16

// append computes and writes the pictures from number done on.
func (f *features) append(ctx context.Context, runner *convnet.Runner, b backbone.Config, pictures []data.Captioned, done int) error {
	pipeline := transform.Pipeline{
		transform.ResizeTo{Height: b.Side, Width: b.Side, Filter: transform.Bicubic}, transform.ToTensor{}, transform.Normalize{Mean: b.Mean, Std: b.Std},
	}
	first := done
	log := meter.NewLog(os.Stderr, len(pictures)-done, "features of pictures")
	out := bufio.NewWriterSize(f.file, 1<<20)
	for ; done < len(pictures); done += chunk {
		var inputs []*transform.Tensor
		for _, p := range pictures[done:min(done+chunk, len(pictures))] {
			im, err := data.Decode(p.Path)
			if err != nil {
				return err
			}
			t, err := pipeline.Tensor(im)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Path, err)
			}
			inputs = append(inputs, t)
		}
		result, err := runner.RunTensors(ctx, inputs, convnet.Want{Map: true})
		if err != nil {
			return err
		}
		if err := writeHalf(out, result.Map.Values); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
		log.Done(min(done+chunk, len(pictures)) - first)
	}
	return f.file.Sync()
}

// writeHalf writes values as float16, little-endian.
func writeHalf(to io.Writer, values []float32) error {
	half, err := weights.NewTensor("features", []int{len(values)}, values).Half()
	if err != nil {
		return err
	}
	_, err = to.Write(half.Bytes())
	return err
}

// read reads the features of a picture into a slice of cells × channels values.
func (f *features) read(picture int, into []float32) error {
	raw := make([]byte, f.record())
	if _, err := f.file.ReadAt(raw, int64(picture)*f.record()); err != nil {
		return fmt.Errorf("%s, picture %d: %w", f.file.Name(), picture, err)
	}
	for i := range into {
		into[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return nil
}

// fromHalf is the value of a finite float16.
func fromHalf(bits uint16) float32 {
	sign, exponent, mantissa := uint32(bits>>15)<<31, uint32(bits>>10&31), uint32(bits&1023)
	if exponent == 0 {
		v := float32(mantissa) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | mantissa<<13)
}

// featureKey identifies a network, the size of its pictures, and the files.
func featureKey(net *convnet.Model, b backbone.Config, pictures []data.Captioned) (string, error) {
	h := sha256.New()
	list, err := net.Tensors()
	if err != nil {
		return "", err
	}
	for _, t := range list {
		h.Write(t.Bytes())
	}
	fmt.Fprintln(h, b.Side, b.Mean, b.Std)
	for _, p := range pictures {
		info, err := os.Stat(p.Path)
		if err != nil {
			return "", errors.Join(errors.New("the pictures changed while they were read"), err)
		}
		fmt.Fprintln(h, filepath.Base(p.Path), info.Size())
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
