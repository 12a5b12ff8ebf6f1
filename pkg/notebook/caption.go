package notebook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

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
// the one of photographs that comes with Gaze. An error ends the cell, as [Check] does.
func OpenCaptioner() *Captioner { return Must(openCaptioner()) }

func openCaptioner() (*Captioner, error) {
	environ.WarnOnce(os.Stderr)
	found, err := report.FindCheckpoint(context.Background(), report.EnvCaptioner, report.DefaultCaptioner(), hub.Options{Log: note})
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

// shippedCaptioner opens the captioner of drawn scenes that comes with Gaze.
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

// drawingsOnly is what a captioner of drawn scenes says when it is asked for photographs.
const drawingsOnly = "it knows drawings only, those of 'gaze scenes': what it says of a photograph is made up"

// noteDrawings has each cell say that once.
var noteDrawings sync.Once

// ExpectCaptions says what to expect of the captioner, in the words of its record.
func ExpectCaptions() Text {
	c := OpenCaptioner()
	defer c.Close()
	if knowsScenes(c.Vocab) {
		return Text("**What to expect** of " + c.short + ": " + drawingsOnly + ". The sections on drawings show what it can do.")
	}
	text := Must(hub.CaptionerRecord(c.path))
	r, err := report.ParsePhotosRecord(text)
	if err != nil {
		return Text("**What to expect** of " + c.short + " isn't known: there is no record of its scores beside it.")
	}
	return Text(report.ExpectCaptions(r))
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
	side := cfg.LongestSide
	if cfg.Backbone.Side > 0 { // every picture is squashed to that
		side = cfg.Backbone.Side
	}
	grid := cfg.Grid(side, side)
	set := captionPictures()
	t := plots.Table{Columns: []plots.Column{{Name: ""}, {Name: "", Align: plots.AlignLeft}}, Rows: [][]any{
		{"captioner", c.short + ": " + c.Source},
		{"parameters", fmt.Sprintf("%.1f million", float64(weights)/1e6)},
		{"layers", fmt.Sprintf("%d to encode, %d to decode, %d heads", cfg.EncoderLayers, cfg.DecoderLayers, cfg.Heads)},
		{"cells", fmt.Sprintf("%d×%d of a square picture, %d pixels each", grid[0], grid[1], cfg.Backbone.Stride())},
		{"words", fmt.Sprintf("%d word pieces", cfg.Vocab)},
		{"photographs", fmt.Sprintf("%d: %s", len(set.Pictures), set.From)},
	}}
	if cfg.BackboneFrom != "" {
		t.Rows = append(t.Rows, []any{"backbone", cfg.BackboneFrom + ", not trained further; its weights count among the parameters"})
	}
	if knowsScenes(c.Vocab) {
		t.Rows = append(t.Rows, []any{"note", drawingsOnly})
	}
	return t
}

func captionPictures() report.CaptionSet {
	return Must(report.CaptionPictures(os.Getenv(environ.Root)))
}

// Captions captions the photographs of the report: those in the folder that
// GAZE_CAPTION_IMAGES names, in the order of their names; or else the report's own five,
// where they lie beside the clone; or else the five that ship. Results for the same weights
// and pictures are read from the cache. A picture that can't be captioned is skipped with a
// note on standard error.
func Captions() []*explain.Captioned {
	ctx, stop := Interrupt()
	defer stop()
	return Must(captionPhotographs(ctx))
}

func captionPhotographs(ctx context.Context) ([]*explain.Captioned, error) {
	set, err := report.CaptionPictures(os.Getenv(environ.Root))
	if err != nil {
		return nil, err
	}
	c, err := openCaptioner()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if knowsScenes(c.Vocab) {
		noteDrawings.Do(func() { note(fmt.Sprintf("note: %s: %s", c.short, drawingsOnly)) })
	}
	return captionAll(ctx, c, set.Pictures)
}

// DrawnCaptions captions the five drawn scenes bike, girl, sheep, ski and umbrella, or those
// of them that are named, with the captioner that knows them: that of GAZE_CAPTIONER if it
// does, or else the one that comes with Gaze.
func DrawnCaptions(names ...string) []*explain.Captioned {
	ctx, stop := Interrupt()
	defer stop()
	c := Must(testedCaptioner())
	defer c.Close()
	list := report.DrawnPictures()
	for _, name := range names {
		if !slices.Contains(scenes.ReportNames(), name) {
			Check(fmt.Errorf("there is no drawn picture %q; they are %s", name, strings.Join(scenes.ReportNames(), ", ")))
			return nil
		}
	}
	if len(names) > 0 {
		list = slices.DeleteFunc(list, func(p report.Picture) bool { return !slices.Contains(names, p.Name) })
	}
	return Must(captionAll(ctx, c, list))
}

// Caption returns one of [Captions] by its picture's name without extension: the first of
// the names that there is. If there is none of them, but GAZE_CAPTION_IMAGES is set, it is
// the first of your own pictures, with a note, so that the notebook's cells work unchanged.
func Caption(names ...string) *explain.Captioned {
	all := Captions()
	var have []string
	for _, c := range all {
		have = append(have, strings.TrimSuffix(c.Picture, filepath.Ext(c.Picture)))
	}
	for _, name := range names {
		if i := slices.Index(have, name); i >= 0 {
			return all[i]
		}
	}
	if environ.Get(report.EnvImages) != "" && len(all) > 0 {
		note(fmt.Sprintf("note: showing %q of %s, of which there are %s", have[0], report.EnvImages, strings.Join(have, ", ")))
		return all[0]
	}
	Check(fmt.Errorf("there is no picture %s; the pictures are %s", strings.Join(names, " or "), strings.Join(have, ", ")))
	return nil
}

// Credit is what belongs under a photograph wherever it is shown: whose it is and under
// which licence. It is empty, and shows nothing, for your own.
func Credit(c *explain.Captioned) Text {
	p, _ := captionPictures().Find(c.Picture)
	return Text(p.Credit)
}

// CaptionAgreement lists the captions and, beside each, how much it agrees with what people
// wrote about the picture, where that is known.
func CaptionAgreement() plots.Table { return report.CaptionAgreement(captionPictures(), Captions()) }

// AnalyseCaption puts into words what the numbers of a caption say.
func AnalyseCaption(c *explain.Captioned) Text {
	p, _ := captionPictures().Find(c.Picture)
	return Text(Must(report.AnalyseCaption(c, p.References)))
}

// captionAll captions pictures with an open captioner.
func captionAll(ctx context.Context, c *Captioner, list []report.Picture) ([]*explain.Captioned, error) {
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
	if err != nil {
		return err
	}
	m, err := report.CompleteCaptioner(context.Background(), s.captioner.Model, hub.Options{Log: note})
	if err != nil {
		return err
	}
	s.captioner.Model = m
	s.running, err = caption.NewCaptioner(b, m, nil)
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
	return Cached(cache, "caption", []any{"2", weights, p.Name, key}, func() (*explain.Captioned, error) { return s.caption(p) })
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
	results, err := s.running.Caption([]*transform.Image{im}, s.captioner.Config.Recommended())
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
