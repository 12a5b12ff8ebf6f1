package notebook

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/report"
	"gaze/pkg/caption"
	"gaze/pkg/caption/backbone"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/data/scenes"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
)

// TestCaptions captions what ships with Gaze with the captioner of drawings: drawings, and
// photographs that it doesn't know.
func TestCaptions(t *testing.T) {
	if testing.Short() {
		t.Skip("ten captions take long under the race detector")
	}
	t.Setenv("GAZE_CACHE", t.TempDir())
	t.Setenv("GAZE_CAPTIONER", hub.LaptopCaptioner)
	t.Setenv("GAZE_CAPTION_IMAGES", "")
	t.Setenv("GAZE_ROOT", "")
	_, _, status := record(t, false)
	drawn := DrawnCaptions()
	if *status != 0 || len(drawn) != 5 {
		t.Fatalf("exit %d, %d captions", *status, len(drawn))
	}
	for i, want := range []string{"bike", "girl", "sheep", "ski", "umbrella"} {
		if drawn[i].Picture != want || drawn[i].Image.Width != report.SceneSize || len(drawn[i].Masks) == 0 || drawn[i].Model != hub.LaptopCaptioner {
			t.Errorf("picture %d is %s, %d pixels, %d masks, by %s", i, drawn[i].Picture, drawn[i].Image.Width, len(drawn[i].Masks), drawn[i].Model)
		}
	}
	if some := DrawnCaptions("umbrella"); len(some) != 1 || !strings.Contains(some[0].Result.Text, "umbrella") {
		t.Errorf("the umbrella alone: %v", some)
	}
	all := Captions()
	var names []string
	for _, c := range all {
		names = append(names, c.Picture)
		if credit := string(Credit(c)); !strings.Contains(credit, "CC BY") || !strings.Contains(credit, "https://www.flickr.com/") {
			t.Errorf("%s is credited as %q", c.Picture, credit)
		}
	}
	if strings.Join(names, " ") != "giraffe.jpg pizza.jpg skier.jpg surfer.jpg train.jpg" {
		t.Errorf("photographs %q", names)
	}
	// Results for the same weights and pictures are read from the cache.
	kept, err := filepath.Glob(filepath.Join(os.Getenv("GAZE_CACHE"), "cells", "caption-*"))
	if err != nil || len(kept) != 10 {
		t.Errorf("%d captions kept, %v", len(kept), err)
	}
	if c := Caption("umbrella", "skier"); c.Picture != "skier.jpg" {
		t.Errorf("%s stands for the skier", c.Picture)
	}
	if text := string(AnalyseCaption(all[0])); !strings.Contains(text, "giraffe.jpg") || !strings.Contains(text, "5 people wrote") {
		t.Errorf("the analysis: %s", text)
	}
	if table := CaptionAgreement().String(); !strings.Contains(table, "The adult giraffe is standing near a metal fence.") {
		t.Errorf("the agreement: %s", table)
	}
	about := AboutCaptioner().String()
	for _, want := range []string{hub.LaptopCaptioner, "1.6 million", "16×16", "5: COCO", drawingsOnly} {
		if !strings.Contains(about, want) {
			t.Errorf("AboutCaptioner doesn't say %q:\n%s", want, about)
		}
	}
	if text := string(ExpectCaptions()); !strings.Contains(text, drawingsOnly) {
		t.Errorf("expected: %s", text)
	}
	if f := CaptionOccluded("umbrella", "umbrella"); f == nil || *status != 0 {
		t.Errorf("no deletion, exit %d", *status)
	}
	if DrawnCaptions("giraffe"); *status == 0 {
		t.Error("a drawing that isn't there passes")
	}
}

// TestCaptionsOfYourOwn captions a folder with another captioner; damaged pictures are
// skipped.
func TestCaptionsOfYourOwn(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	dir := t.TempDir()
	t.Setenv("GAZE_CAPTION_IMAGES", dir)
	t.Setenv("GAZE_CAPTIONER", hub.LaptopCaptioner)
	ctx := context.Background()
	if _, err := captionPhotographs(ctx); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("of an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("\xff\xd8 nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := captionPhotographs(ctx); err == nil || !strings.Contains(err.Error(), "a.jpg") {
		t.Errorf("of a damaged picture alone: %v", err)
	}
	s, err := scenes.Report("ski", 40)
	if err != nil {
		t.Fatal(err)
	}
	if err := plots.SavePNG(filepath.Join(dir, "b.png"), s.Image); err != nil {
		t.Fatal(err)
	}
	vocab, err := wordpiece.New([]string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "snow"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := caption.Small(vocab.Len())
	cfg.Dim, cfg.Hidden, cfg.EncoderLayers, cfg.LongestSide, cfg.MaxPositions = 8, 8, 1, 32, 6
	cfg.Backbone.Stages = []backbone.Stage{{Channels: 8}}
	m, err := caption.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	m.Vocab = vocab
	own := filepath.Join(t.TempDir(), "own.safetensors")
	if err := m.Save(own, false); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GAZE_CAPTIONER", own)
	all, err := captionPhotographs(ctx)
	if err != nil || len(all) != 1 || all[0].Picture != "b.png" || all[0].Masks != nil || all[0].Model != "own" {
		t.Fatalf("captions %v, error %v", all, err)
	}
	// Its vocabulary doesn't have the scenes' words, so it isn't tested on them.
	if c, err := testedCaptioner(); err != nil || c.Name != hub.LaptopCaptioner {
		t.Errorf("tested is %v, error %v", c, err)
	}
	// The notebook's cells ask for the report's pictures by name.
	_, _, status := record(t, false)
	c := Caption("umbrella", "giraffe")
	if *status != 0 || c.Picture != "b.png" {
		t.Errorf("exit %d, %v stands for the umbrella", *status, c.Picture)
	}
	if credit := Credit(c); credit != "" {
		t.Errorf("a picture of your own is credited as %q", credit)
	}
	if text := string(AnalyseCaption(c)); strings.Contains(text, "people wrote") {
		t.Errorf("people wrote about a picture of your own: %s", text)
	}
	if text := string(ExpectCaptions()); !strings.Contains(text, "no record") {
		t.Errorf("expected of a captioner without a record: %s", text)
	}
	if about := AboutCaptioner().String(); !strings.Contains(about, "2: "+dir) {
		t.Errorf("about: %s", about)
	}
	// For a folder or a run, the file in it is used.
	run := t.TempDir()
	for file, text := range map[string]string{"folder/captioner.safetensors": "", "run/best/model.safetensors": "", "run/run.json": "{}"} {
		path := filepath.Join(run, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if text != "" {
			err = os.WriteFile(path, []byte(text), 0o644)
		} else {
			err = m.Save(path, false)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GAZE_START", run)
	for _, name := range []string{"folder", "run"} {
		t.Setenv("GAZE_CAPTIONER", name)
		c, err := openCaptioner()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.short != name || c.Source != map[string]string{"folder": "a file of your own", "run": "a run of your own"}[name] {
			t.Errorf("%s is called %s, %s", name, c.short, c.Source)
		}
		c.Close()
	}
	t.Setenv("GAZE_CAPTION_IMAGES", filepath.Join(dir, "none"))
	if _, err := captionPhotographs(ctx); err == nil || !strings.Contains(err.Error(), "GAZE_CAPTION_IMAGES is") {
		t.Errorf("of a folder that isn't there: %v", err)
	}
	t.Setenv("GAZE_CAPTION_IMAGES", filepath.Join(dir, "b.png"))
	if list, err := report.CaptionPictures(""); err != nil || len(list.Pictures) != 1 || list.Pictures[0].Name != "b.png" {
		t.Errorf("of one photograph: %v, %v", list, err)
	}
	t.Setenv("GAZE_CAPTIONER", filepath.Join(dir, "none"))
	if _, err := captionPhotographs(ctx); err == nil || !strings.Contains(err.Error(), "GAZE_CAPTIONER") {
		t.Errorf("of a captioner that isn't there: %v", err)
	}
}
