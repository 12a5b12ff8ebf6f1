package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gaze/pkg/backend"
	corpus "gaze/pkg/batch"
	"gaze/pkg/breeds"
	"gaze/pkg/caption"
	"gaze/pkg/convnet"
	"gaze/pkg/explain"
	"gaze/pkg/hub"
	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// models completes the job's description by its models, and checks that they can do what is
// wanted. Nothing is compiled.
func (p *planFlags) models(cmd *cobra.Command) error {
	s := &p.spec
	if s.Wanted(corpus.Caption) {
		name := p.captioner
		switch {
		case name == "" && len(s.Want) == 1 && p.model != "":
			name = p.model
		case name == "":
			name = hub.PhotosCaptioner
		}
		if err := p.planCaptioner(cmd, name); err != nil {
			return err
		}
		if len(s.Want) == 1 {
			s.Layer, s.Heads = 0, ""
			return nil
		}
	} else if p.captioner != "" {
		return misuse(cmd, errors.New("--captioner: captions aren't wanted (--want)"))
	}
	if p.model == "" {
		return misuse(cmd, fmt.Errorf("--model: name one, for %s", s.Want[0]))
	}
	if err := p.planModel(cmd); err != nil {
		return err
	}
	if !s.Wanted(corpus.Attention) {
		s.Layer, s.Heads = 0, ""
	}
	return nil
}

// lasting is a checkpoint's name for workers that run elsewhere: an absolute path, unless it
// is a name of the catalogue.
func lasting(fileOrName string) (name, path string, err error) {
	if path, err = hub.Resolve(fileOrName); err != nil || path != fileOrName {
		return fileOrName, path, err
	}
	path, err = filepath.Abs(path)
	return path, path, err
}

// planModel describes the model for everything but captions.
func (p *planFlags) planModel(cmd *cobra.Command) error {
	s := &p.spec
	name, _, err := lasting(p.model)
	if err != nil {
		return err
	}
	choice := chosen(cmd)
	s.Model = &corpus.Checkpoint{Name: name, Weights: choice.Weights, Head: choice.Head}
	o, err := openForBatch(cmd, s.Model)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.check(p); err != nil {
		return fmt.Errorf("%s: %w", p.model, err)
	}
	s.Model.Digest, err = corpus.FileDigest(o.files)
	return err
}

// openedModel is a checkpoint of one of the kinds that 'gaze batch' takes, of which one
// field is set.
type openedModel struct {
	vit    *vit.Model
	conv   *convnet.Model
	breeds string   // the file of the head
	files  []string // all files that it is read from
}

// openForBatch opens a checkpoint and finds its kind.
func openForBatch(cmd *cobra.Command, c *corpus.Checkpoint) (*openedModel, error) {
	choice := vit.LoadOptions{Weights: c.Weights, Head: c.Head}
	if head, ok := breedsHead(c.Name); ok {
		return openBreedsForBatch(cmd, head, choice)
	}
	path, err := hub.Resolve(c.Name)
	if err != nil {
		return nil, err
	}
	if m, ok := loadConvnet(c.Name); ok {
		if choice != (vit.LoadOptions{}) {
			return nil, errors.Join(checkNoChoice(cmd), m.Close())
		}
		return &openedModel{conv: m, files: filesOfModel(path)}, nil
	}
	m, err := train.OpenModel(path, choice)
	if err != nil {
		return nil, err
	}
	warn(cmd, m.Warnings)
	return &openedModel{vit: m, files: filesOfModel(path)}, nil
}

// openBreedsForBatch finds the files of pets37 or one like it.
func openBreedsForBatch(cmd *cobra.Command, head string, choice vit.LoadOptions) (*openedModel, error) {
	if choice != (vit.LoadOptions{}) {
		return nil, misuse(cmd, errors.New("--weights and --head-name choose within a Vision Transformer's checkpoint: this model leaves no choice"))
	}
	cfg, _, err := breeds.ReadConfig(head)
	if err != nil {
		return nil, err
	}
	o := &openedModel{breeds: head, files: []string{head, filepath.Join(filepath.Dir(head), breeds.ConfigFile)}}
	for _, part := range []string{cfg.Network, cfg.ViT} {
		path, err := breedsPart(cmd, part)
		if err != nil {
			return nil, err
		}
		o.files = append(o.files, filesOfModel(path)...)
	}
	return o, nil
}

// filesOfModel lists the files that a checkpoint at a path is read from.
func filesOfModel(path string) []string {
	if model, err := train.ModelFile(path); err == nil { // the best model of a run
		path = model
	}
	return append(modelFiles(path), path)
}

func (o *openedModel) close() {
	if o.vit != nil {
		o.vit.Close()
	}
	if o.conv != nil {
		o.conv.Close()
	}
}

// check is an error if the model can't do what is wanted. It fills in the pipeline.
func (o *openedModel) check(p *planFlags) error {
	s := &p.spec
	switch {
	case o.breeds != "":
		for _, want := range []string{corpus.Embeddings, corpus.Attention} {
			if s.Wanted(want) {
				return fmt.Errorf("it has no %s to give, only classes and logits", want)
			}
		}
		if s.Pipeline != "" {
			return errors.New("it is two networks with a pipeline each, which --pipeline can't replace")
		}
		return nil
	case o.conv != nil:
		if s.Wanted(corpus.Attention) {
			return errors.New("it is a convolutional network, which has no attention")
		}
		if o.conv.Classes == 0 && (s.Wanted(corpus.Classes) || s.Wanted(corpus.Logits)) {
			return errors.New("it has no classifier, so it can't classify")
		}
	default:
		if err := o.checkViT(*s); err != nil {
			return err
		}
	}
	steps, err := o.pipeline(s.Pipeline)
	if err != nil {
		return err
	}
	if steps.Background() != nil && s.Wanted(corpus.Caption) {
		return errors.New("its pipeline puts transparent pictures on a colour, the captioner's doesn't: plan two jobs")
	}
	s.Pipeline = steps.String()
	return nil
}

// checkViT checks what is wanted of a Vision Transformer.
func (o *openedModel) checkViT(s corpus.Spec) error {
	if err := o.vit.CheckFinite(); err != nil {
		return err
	}
	if s.Wanted(corpus.Classes) || s.Wanted(corpus.Logits) {
		if err := o.vit.CheckHead(); err != nil {
			return err
		}
	}
	if !s.Wanted(corpus.Attention) {
		return nil
	}
	if !o.vit.Config.ClassToken {
		return errors.New("it has no class token, so its attention can't be shown")
	}
	if _, err := explain.Index(s.Layer, o.vit.Config.Depth, "layer"); err != nil {
		return fmt.Errorf("--layer: %w", err)
	}
	heads, err := explain.ParseHeads(s.Heads)
	if err == nil {
		err = heads.Check(o.vit.Config.Heads)
	}
	if err != nil {
		return fmt.Errorf("--head: %w", err)
	}
	return nil
}

// pipeline is the given pipeline or, without one, the model's own.
func (o *openedModel) pipeline(given string) (p transform.Pipeline, err error) {
	switch {
	case given != "":
		if p, err = parseTensorPipeline(given); err != nil {
			return nil, fmt.Errorf("--pipeline: %w", err)
		}
	case o.conv != nil:
		p, err = o.conv.Preprocessing()
	default:
		p, err = o.vit.Preprocessing()
	}
	if err == nil && o.vit != nil {
		err = o.vit.Config.CheckPipeline(p)
	}
	if err == nil && o.conv != nil {
		if channels, _, _, _ := p.OutputSize(); channels > 0 && channels != 3 {
			err = fmt.Errorf("--pipeline: it makes pictures of %d channels, the network takes 3", channels)
		}
	}
	return p, err
}

// openCaptioner opens a captioner with everything that it consists of, and lists its files.
func openCaptioner(cmd *cobra.Command, c *corpus.Checkpoint, vocab string) (*caption.Model, []string, error) {
	path, err := hub.Resolve(c.Name)
	if err != nil {
		return nil, nil, err
	}
	files := append(filesOfModel(path), vocab)
	usual := hub.VocabFile(path)
	m, err := caption.Open(path, c.Weights, vocab, usual)
	if err != nil {
		return nil, nil, err
	}
	if vocab == "" {
		files = append(files, usual)
	}
	m, err = m.Complete(func(name string) (string, error) {
		part, err := fetched(cmd, name)
		files = append(files, filesOfModel(part)...)
		return part, err
	})
	return m, files, err
}

// planCaptioner describes the captioner.
func (p *planFlags) planCaptioner(cmd *cobra.Command, fileOrName string) error {
	name, _, err := lasting(fileOrName)
	if err != nil {
		return err
	}
	s := &p.spec
	s.Captioner = &corpus.Checkpoint{Name: name}
	if len(s.Want) == 1 {
		s.Captioner.Weights = chosen(cmd).Weights
	}
	if p.caption.Vocab != "" {
		if p.caption.Vocab, err = filepath.Abs(p.caption.Vocab); err != nil {
			return err
		}
	}
	m, files, err := openCaptioner(cmd, s.Captioner, p.caption.Vocab)
	if err != nil {
		return err
	}
	defer m.Close()
	warn(cmd, m.Warnings)
	asked := captionFlags{options: caption.Options{Beam: p.caption.Beam, LengthPenalty: 1, MaxTokens: p.caption.MaxTokens}}
	asked.ask(cmd, m.Config)
	if err := asked.options.Check(m.Config); err != nil {
		return misuse(cmd, err)
	}
	if asked.options.MaxTokens == 0 {
		asked.options.MaxTokens = m.Config.MaxPositions - 1
	}
	s.Caption = &corpus.CaptionOptions{
		Beam: asked.options.Beam, LengthPenalty: asked.options.LengthPenalty, Neighbours: asked.options.Neighbours,
		MaxTokens: asked.options.MaxTokens, Vocab: p.caption.Vocab,
	}
	s.Captioner.Digest, err = corpus.FileDigest(files)
	return err
}

// openBatchModel opens the models of a job on a backend. One that has changed since the job
// was planned is an error.
func openBatchModel(cmd *cobra.Command, s corpus.Spec) (_ corpus.Model, err error) {
	var models []corpus.Model
	defer func() {
		if err != nil {
			for _, m := range models {
				err = errors.Join(err, m.Close())
			}
		}
	}()
	if s.Model != nil {
		m, err := openJobModel(cmd, s)
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	if s.Captioner != nil {
		m, err := openJobCaptioner(cmd, s)
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return corpus.Together(models...), nil
}

// checkDigest is an error if a model's files aren't those with which a job was planned.
func checkDigest(c *corpus.Checkpoint, files []string) error {
	digest, err := corpus.FileDigest(files)
	if err == nil && digest != c.Digest {
		err = fmt.Errorf("%s has changed since the job was planned (its digest is %.12s…, not %.12s…): put the old one back, or plan the job anew", c.Name, digest, c.Digest)
	}
	return err
}

// openJobModel opens a job's model for everything but captions.
func openJobModel(cmd *cobra.Command, s corpus.Spec) (corpus.Model, error) {
	o, err := openForBatch(cmd, s.Model)
	if err != nil {
		return nil, err
	}
	defer o.close()
	if err := checkDigest(s.Model, o.files); err != nil {
		return nil, err
	}
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	if o.breeds != "" {
		c, err := breeds.Open(b, o.breeds, func(model string) (string, error) { return breedsPart(cmd, model) })
		if err != nil {
			return nil, err
		}
		return corpus.NewBreeds(c, s), nil
	}
	p, err := o.pipeline(s.Pipeline)
	if err != nil {
		return nil, err
	}
	if o.conv != nil {
		r, err := convnet.NewRunner(b, o.conv)
		if err != nil {
			return nil, err
		}
		return corpus.NewConvnet(r, p, labelsOf(o.conv.Labels, o.conv.Classes), s), nil
	}
	r, err := vit.NewRunner(b, o.vit)
	if err != nil {
		return nil, err
	}
	return corpus.NewViT(r, p, labelsOf(o.vit.Labels, o.vit.Config.Classes), s, func(text string) { warn(cmd, []string{text}) })
}

// labelsOf are the names of classes, nil if not each has one.
func labelsOf(labels []string, classes int) []string {
	if len(labels) != classes {
		return nil
	}
	return slices.Clone(labels)
}

// openJobCaptioner opens a job's captioner.
func openJobCaptioner(cmd *cobra.Command, s corpus.Spec) (corpus.Model, error) {
	if s.Caption == nil {
		return nil, errors.New("the job doesn't say how captions are searched for")
	}
	m, files, err := openCaptioner(cmd, s.Captioner, s.Caption.Vocab)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if err := checkDigest(s.Captioner, files); err != nil {
		return nil, err
	}
	b, err := backend.Default()
	if err != nil {
		return nil, err
	}
	c, err := caption.NewCaptioner(b, m, nil)
	if err != nil {
		return nil, err
	}
	return corpus.NewCaptioner(c, s)
}
