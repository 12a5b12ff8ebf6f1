package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"gaze/internal/atomicfile"
	"gaze/internal/meter"
	"gaze/pkg/caption"
	"gaze/pkg/data"
	"gaze/pkg/data/scenes"
	"gaze/pkg/evaluate/captions"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
)

// captionsOptions say what the part on captions compares. Parts whose captioner or
// pictures aren't named are left out.
type captionsOptions struct {
	untaught string // a captioner of drawn scenes that was trained without target maps
	pets     string // folder of photographs of pets with trimaps or outlines
	photos   string // folder of photographs with captions.json, of which the split val is used
	scenes   int    // drawn scenes, of held-out combinations
	most     int    // photographs of each kind
	record   string // file to write; what it has already isn't computed again
}

// captionsName is the part's name, and that of its record, which lies beside the league's.
const captionsName = "captions"

// captions does the part on captions, if it is asked for, and takes it off the list. It
// needs none of the league's models.
func (r *recipe) captions(ctx context.Context) error {
	at := slices.Index(r.parts, captionsName)
	if at < 0 {
		return nil
	}
	r.parts = slices.Delete(r.parts, at, at+1)
	o := captionsOptions{untaught: r.untaught, pets: r.data, photos: r.photos, scenes: 300, most: 200}
	if r.plan == small {
		o.scenes, o.most = 10, 10
	}
	o.record = filepath.Join(filepath.Dir(r.out), captionsName+".json")
	if _, err := captionsPart(ctx, r.device, o); err != nil {
		return fmt.Errorf("%s: %w", captionsName, err)
	}
	fmt.Println("wrote", o.record)
	return nil
}

// captionsRow is a captioner on pictures.
type captionsRow struct {
	name     string
	model    string // a name that the hub knows, or a path
	pictures func(cfg caption.Config) (captions.Pictures, error)
}

// captionsPart compares ways of making maps of words and writes the record. It can be
// interrupted: a row that is done is written at once.
func captionsPart(ctx context.Context, device compute.Backend, o captionsOptions) ([]*captions.Relevance, error) {
	var done []*captions.Relevance
	text, err := os.ReadFile(o.record)
	if err == nil {
		if done, err = captions.ParseRelevance(text); err != nil {
			return nil, fmt.Errorf("%s: %w", o.record, err)
		}
	} else if !os.IsNotExist(err) {
		return nil, err
	}
	for _, row := range o.rows() {
		if slices.ContainsFunc(done, func(r *captions.Relevance) bool { return r.Model == row.name }) {
			continue
		}
		r, err := row.run(ctx, device)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row.name, err)
		}
		done = append(done, r)
		if err := writeCaptions(o.record, done); err != nil {
			return nil, err
		}
		for _, kind := range []string{captions.AllWords, captions.Nouns, captions.Colours, captions.Seen} {
			if _, any := r.Score(kind, captions.LastLayer); any {
				fmt.Println(r.Table(kind).String())
			}
		}
	}
	return done, nil
}

// rows are what is compared, in order.
func (o captionsOptions) rows() []captionsRow {
	drawn := func(count int) func(caption.Config) (captions.Pictures, error) {
		return func(cfg caption.Config) (captions.Pictures, error) {
			return captions.Set{Split: scenes.HeldOut, Count: count}.Pictures(cfg.LongestSide), nil
		}
	}
	var rows []captionsRow
	if o.untaught != "" {
		rows = append(rows, captionsRow{"scenes, untaught", o.untaught, drawn(o.scenes)})
	}
	rows = append(rows, captionsRow{"scenes, taught maps", hub.LaptopCaptioner, drawn((o.scenes + 1) / 2)})
	if o.pets != "" {
		rows = append(rows, captionsRow{"photographs of pets", hub.PhotosCaptioner, func(caption.Config) (captions.Pictures, error) {
			return petPictures(o.pets, o.most)
		}})
	}
	if o.photos != "" {
		rows = append(rows, captionsRow{"photographs", hub.PhotosCaptioner, func(caption.Config) (captions.Pictures, error) {
			return captionedPhotographs(o.photos, o.most)
		}})
	}
	return rows
}

// run computes a row.
func (r captionsRow) run(ctx context.Context, device compute.Backend) (*captions.Relevance, error) {
	path := r.model
	if _, known := hub.Lookup(path); known {
		var err error
		if path, err = hub.Resolve(path); err != nil {
			return nil, err
		}
	}
	m, err := caption.Load(path)
	if err != nil {
		return nil, err
	}
	if m, err = m.Complete(hub.Resolve); err != nil {
		return nil, err
	}
	defer m.Close()
	pictures, err := r.pictures(m.Config)
	if err != nil {
		return nil, err
	}
	c, err := caption.NewCaptioner(device, m, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	e, err := explain.NewWordExplainer(device, m)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	log := meter.NewLog(os.Stderr, pictures.Count, r.name)
	found, err := captions.EvaluateRelevance(ctx, c, e, pictures, captions.RelevanceOptions{Seed: 1, Options: captions.Options{
		Caption:  m.Config.Recommended(),
		Progress: func(done, _ int) { log.Done(done) },
	}})
	if err != nil {
		return nil, err
	}
	found.Model = r.name
	return found, nil
}

// writeCaptions writes the record, a line for each row.
func writeCaptions(path string, list []*captions.Relevance) error {
	text := []byte("[\n")
	for i, r := range list {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if i > 0 {
			text = append(text, ",\n"...)
		}
		text = append(text, line...)
	}
	return atomicfile.WriteBytes(path, append(text, "\n]\n"...))
}

// petPictures are at most most photographs of pets of which trimaps or outlines are known,
// evenly spread over the set: those on which the captioner's own record was made.
func petPictures(folder string, most int) (captions.Pictures, error) {
	truth, err := data.OpenTruth(folder)
	if err != nil {
		return captions.Pictures{}, err
	}
	var all []*data.Known
	for _, k := range truth.Pictures {
		if (k.HasTrimap() || k.HasOutline()) && (k.Species == "cat" || k.Species == "dog") {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return captions.Pictures{}, fmt.Errorf("%s: no picture has a trimap or an outline", folder)
	}
	count := min(most, len(all))
	return captions.PetPictures(fmt.Sprintf("%d photographs of pets with trimaps or outlines", count), count, func(i int) (captions.Pet, error) {
		return captions.OpenPet(all[i*len(all)/count])
	}), nil
}

// captionedPhotographs are at most most photographs of the split val, of which nothing is known but
// captions.
func captionedPhotographs(folder string, most int) (captions.Pictures, error) {
	set, err := data.OpenCaptions(filepath.Join(folder, "captions.json"), "")
	if err != nil {
		return captions.Pictures{}, err
	}
	all := set.Split("val")
	if len(all) == 0 {
		return captions.Pictures{}, fmt.Errorf("%s: no photograph is in the split val", folder)
	}
	all = all[:min(most, len(all))]
	return captions.Pictures{Name: fmt.Sprintf("%d photographs of the split val", len(all)), Count: len(all), Load: func(i int) (scenes.Scene, error) {
		im, err := data.Decode(all[i].Path)
		return scenes.Scene{Image: im}, err
	}}, nil
}
