package notebook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/environ"
	"gaze/internal/report"
	"gaze/pkg/backend"
	"gaze/pkg/caption"
	"gaze/pkg/data/scenes"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/transform"
)

// Captioner is a captioner and where it came from.
type Captioner struct {
	*caption.Model
	Name   string // as GAZE_CAPTIONER gave it
	Source string
	path   string // the file or folder that was opened
	short  string // a short name for figures
}

// OpenCaptioner opens the captioner that GAZE_CAPTIONER names (a file, a folder, a run,
// or a name that 'gaze models' lists, which is fetched if it isn't in the cache), or else
// the small one that comes with Gaze. An error ends the cell, as [Check] does.
func OpenCaptioner() *Captioner { return Must(openCaptioner()) }

func openCaptioner() (*Captioner, error) {
	environ.WarnOnce(os.Stderr)
	found, err := report.FindCheckpoint(context.Background(), report.EnvCaptioner, hub.LaptopCaptioner, hub.Options{Log: note})
	if err != nil {
		return nil, err
	}
	c := &Captioner{Name: found.Given, Source: "a file of your own", path: found.Path, short: found.Short}
	if found.Run != "" {
		c.Source = "a run of your own"
	} else if known, ok := hub.Lookup(found.Given); ok && found.Pulled != nil {
		c.Source = known.Title
	}
	if err := c.open(); err != nil {
		return nil, fmt.Errorf("%s: %w", report.EnvCaptioner, err)
	}
	return c, nil
}

// shippedCaptioner opens the captioner that comes with Gaze.
func shippedCaptioner() (*Captioner, error) {
	known, _ := hub.Lookup(hub.LaptopCaptioner)
	c := &Captioner{Name: known.Name, Source: known.Title, path: known.Name, short: known.Name}
	return c, c.open()
}

// open opens the captioner that lies at its path, or that is known by that name.
func (c *Captioner) open() error {
	path, err := hub.Resolve(c.path)
	if err != nil {
		return err
	}
	c.Model, err = caption.Open(path, "", "", hub.VocabFile(path))
	return err
}

// AboutCaptioner describes the captioner and the pictures that [Captions] uses.
func AboutCaptioner() plots.Table {
	c := OpenCaptioner()
	defer c.Close()
	weights := 0
	for _, p := range c.Config.Parameters() {
		n := 1
		for _, d := range p.Shape {
			n *= d
		}
		weights += n
	}
	cfg := c.Config
	grid := cfg.Grid(cfg.LongestSide, cfg.LongestSide)
	pictures := "five scenes drawn by code (pkg/data/scenes)"
	if dir := environ.Get(report.EnvImages); dir != "" {
		pictures = fmt.Sprintf("%d of %s (%s)", len(Must(report.CaptionPictures())), dir, report.EnvImages)
	}
	return plots.Table{Columns: []plots.Column{{Name: ""}, {Name: "", Align: plots.AlignLeft}}, Rows: [][]any{
		{"captioner", c.short + ": " + c.Source},
		{"parameters", fmt.Sprintf("%.1f million", float64(weights)/1e6)},
		{"layers", fmt.Sprintf("%d to encode, %d to decode, %d heads", cfg.EncoderLayers, cfg.DecoderLayers, cfg.Heads)},
		{"cells", fmt.Sprintf("%d×%d of a square picture, %d pixels each", grid[0], grid[1], cfg.Backbone.Stride())},
		{"words", fmt.Sprintf("%d word pieces", cfg.Vocab)},
		{"pictures", pictures},
	}}
}

// Captions captions the pictures of the report: those in the folder that
// GAZE_CAPTION_IMAGES names, in the order of their names, or else the five drawn scenes:
// bike, girl, sheep, ski and umbrella. Results for the same weights and pictures are read
// from the cache. A picture that can't be captioned is skipped with a note on standard
// error.
func Captions() []*explain.Captioned {
	ctx, stop := Interrupt()
	defer stop()
	return Must(captionAll(ctx))
}

// Caption returns one of [Captions] by its picture's name without extension. If
// GAZE_CAPTION_IMAGES is set, the name of a drawn scene returns the first of your own
// pictures, with a note, so that the notebook's cells work unchanged.
func Caption(name string) *explain.Captioned {
	all := Captions()
	var names []string
	for _, c := range all {
		stem := strings.TrimSuffix(c.Picture, filepath.Ext(c.Picture))
		if stem == name {
			return c
		}
		names = append(names, stem)
	}
	if environ.Get(report.EnvImages) != "" && slices.Contains(scenes.ReportNames(), name) {
		fmt.Fprintf(os.Stderr, "note: %q is a drawn picture: showing %q of %s, of which there are %s\n", name, names[0], report.EnvImages, strings.Join(names, ", "))
		return all[0]
	}
	Check(fmt.Errorf("there is no picture %q; the pictures are %s", name, strings.Join(names, ", ")))
	return nil
}

func captionAll(ctx context.Context) ([]*explain.Captioned, error) {
	c, err := openCaptioner()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	list, err := report.CaptionPictures()
	if err != nil {
		return nil, err
	}
	dir, err := hub.CacheDir()
	if err != nil {
		return nil, err
	}
	weights, err := c.key()
	if err != nil {
		return nil, err
	}
	s := &captionMaker{captioner: c}
	defer s.close()
	var out []*explain.Captioned
	var bad []error
	for _, p := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := s.captionOnce(p, filepath.Join(dir, "cells"), weights)
		if err != nil {
			bad = append(bad, err)
			fmt.Fprintln(os.Stderr, "note: skipped:", err)
			continue
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}

// key identifies the weights and their vocabulary for the cache.
func (c *Captioner) key() (string, error) {
	path, err := hub.Resolve(c.path)
	if err != nil {
		return "", err
	}
	key, err := FileKey(path)
	return key + c.Vocab.String(), err
}

// captionMaker runs a captioner, which it loads onto the backend at the first picture.
type captionMaker struct {
	captioner *Captioner
	running   *caption.Captioner
}

func (s *captionMaker) start() error {
	if s.running != nil {
		return nil
	}
	b, err := backend.Default()
	if err == nil {
		s.running, err = caption.NewCaptioner(b, s.captioner.Model, nil)
	}
	return err
}

// captionOnce is caption, with results kept in the cache.
func (s *captionMaker) captionOnce(p report.Picture, cache, weights string) (*explain.Captioned, error) {
	var key any = report.SceneSize
	if p.Path != "" {
		var err error
		if key, err = FileKey(p.Path); err != nil {
			return nil, err
		}
	}
	return Cached(cache, "caption", []any{"1", weights, p.Name, key}, func() (*explain.Captioned, error) { return s.caption(p) })
}

func (s *captionMaker) caption(p report.Picture) (*explain.Captioned, error) {
	im, masks, damage, err := p.Open()
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, err
	}
	if damage != "" {
		fmt.Fprintf(os.Stderr, "note: %s: damaged: %s\n", p.Path, damage)
	}
	results, err := s.running.Caption([]*transform.Image{im}, caption.Options{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	e, err := explain.NewCaptioned(p.Name, im, results[0], s.captioner.Config)
	if err != nil {
		return nil, err
	}
	e.Model, e.Masks = s.captioner.short, masks
	return e, nil
}

func (s *captionMaker) close() {
	if s.running != nil {
		s.running.Close()
	}
}
