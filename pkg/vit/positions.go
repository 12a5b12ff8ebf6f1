package vit

import (
	"fmt"
	"slices"

	"gaze/pkg/weights"
)

// PositionEmbeddings is the patches' position embeddings, [rows*columns, dim]
// row by row, without those of the class token and its companions, and the grid
// they lie on: rows and columns. The values may be the file's own memory.
func (m *Model) PositionEmbeddings() (patches []float32, grid [2]int, err error) {
	data, _, err := m.Parameter("positions")
	if err != nil {
		return nil, grid, err
	}
	if err := m.params["positions"].checkFinite(); err != nil {
		return nil, grid, err
	}
	return data[m.Config.positionPrefix()*m.Config.Dim:], m.Config.Grid(), nil
}

// ResizedTo returns the model for pictures of another size: its position
// embeddings are resized to the new grid with the layout's method, the rest is
// shared with m, which must stay open. Warnings tells of both grids.
func (m *Model) ResizedTo(height, width int) (*Model, error) {
	cfg, err := m.Config.WithImageSize(height, width)
	if err != nil {
		return nil, err
	}
	if cfg.Grid() == m.Config.Grid() {
		same := *m
		same.Config = cfg
		return &same, nil
	}
	all, _, err := m.Parameter("positions")
	if err != nil {
		return nil, err
	}
	data, err := resizePositions(all, m.Config, cfg, m.resize)
	if err != nil {
		return nil, err
	}
	resized := *m
	resized.Config = cfg
	resized.Warnings = append(append([]string(nil), m.Warnings...), resizeWarning(m.Config, cfg, m.resize))
	resized.params = make(map[string]*entry, len(m.params))
	for name, e := range m.params {
		resized.params[name] = e
	}
	shape := []int{1, len(data) / cfg.Dim, cfg.Dim}
	resized.params["positions"] = &entry{parts: []part{{tensor: weights.NewTensor("positions", shape, data)}}}
	return &resized, nil
}

// resizePositions resizes the patches' rows of a position embedding and keeps
// those before them.
func resizePositions(all []float32, from, to Config, method PosResize) ([]float32, error) {
	prefix := all[:from.positionPrefix()*from.Dim]
	patches, err := ResizePosEmbed(all[len(prefix):], from.Dim, from.Grid(), to.Grid(), method)
	if err != nil {
		return nil, err
	}
	return slices.Concat(prefix, patches), nil
}

func resizeWarning(from, to Config, method PosResize) string {
	a, b := from.Grid(), to.Grid()
	return fmt.Sprintf("position embeddings resized from a grid of %d×%d to %d×%d patches (%v): the model was made for pictures of %d×%d, these are %d×%d",
		a[0], a[1], b[0], b[1], method, from.ImageSize[0], from.ImageSize[1], to.ImageSize[0], to.ImageSize[1])
}

// PosResize is the method that the layout's own library resizes position
// embeddings with.
func (m *Model) PosResize() PosResize { return m.resize }
