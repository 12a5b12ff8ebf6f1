package main

import (
	"fmt"

	"github.com/gomlx/compute"

	"gaze/pkg/caption"
	"gaze/pkg/caption/wordpiece"
	"gaze/pkg/transform"
)

// prepareCaption's answer is the tokens of the captions, [batch, pieces].
func prepareCaption(b compute.Backend, t task) ([]float32, work, error) {
	m, err := caption.Load(t.Weights)
	if err != nil {
		return nil, nil, err
	}
	words := make([]string, m.Config.Vocab)
	for i := range words {
		words[i] = fmt.Sprint("word", i)
	}
	for i, word := range map[int]string{0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]"} { // BERT's token ids
		words[i] = word
	}
	vocab, err := wordpiece.New(words)
	if err != nil {
		return nil, nil, err
	}
	c, err := caption.NewCaptioner(b, m, vocab)
	if err != nil {
		return nil, nil, err
	}
	values, err := readFloats(t.Input)
	if err != nil {
		return nil, nil, err
	}
	each := len(values) / t.Shape[0]
	var inputs []*transform.Tensor
	for i := range t.Shape[0] {
		inputs = append(inputs, &transform.Tensor{Data: values[i*each : (i+1)*each], Shape: [3]int(t.Shape[1:])})
	}
	// Without attention maps, because the peers don't compute them either.
	options := caption.Options{MaxTokens: t.Pieces, NoAttention: true}
	results, err := c.CaptionTensors(inputs, options)
	if err != nil {
		return nil, nil, err
	}
	var pieces []float32
	for _, r := range results {
		for _, p := range r.Tokens {
			pieces = append(pieces, float32(p.ID))
		}
	}
	return pieces, func() error { _, err := c.CaptionTensors(inputs, options); return err }, nil
}
