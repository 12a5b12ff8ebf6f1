package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute"

	"gaze/pkg/caption"
	"gaze/pkg/caption/score"
	"gaze/pkg/data/scenes"
	"gaze/pkg/transform"
)

// test captions new scenes and says how well.
func test(ctx context.Context, device compute.Backend, path string) error {
	m, err := caption.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	c, err := caption.NewCaptioner(device, m, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, split := range []scenes.Split{scenes.Test, scenes.HeldOut} {
		var images []*transform.Image
		var all []scenes.Scene
		var refs [][]string
		for i := range 300 {
			s, err := scenes.Draw(0, i, size, split)
			if err != nil {
				return err
			}
			images, all, refs = append(images, s.Image), append(all, s), append(refs, s.Captions)
		}
		results, err := c.Caption(images, caption.Options{})
		if err != nil {
			return err
		}
		var hyps []string
		counts, hit, maps := 0, 0, 0
		for i, r := range results {
			hyps = append(hyps, r.Text)
			n := 1
			for k, w := range []string{"two", "three"} {
				if strings.Contains(" "+r.Text+" ", " "+w+" ") {
					n = k + 2
				}
			}
			if n == all[i].Count {
				counts++
			} else if split == scenes.HeldOut && i < 100 {
				fmt.Printf("count %d: %q for %q\n", all[i].Count, r.Text, all[i].Captions)
			}
			for k, p := range r.Pieces {
				for _, noun := range all[i].Nouns {
					for _, w := range noun.Words {
						if w == p.Text {
							shares := make([]float32, 256)
							cover(noun.Mask, 8, shares)
							best, at := float32(0), 0
							for cell := range 256 {
								v := float32(0)
								for h := range r.Attention[k][2] {
									v += r.Attention[k][2][h][cell]
								}
								if v > best {
									best, at = v, cell
								}
							}
							maps++
							if shares[at] > 0 {
								hit++
							}
						}
					}
				}
			}
		}
		bleu, _ := score.BLEU(refs, hyps)
		cider, _ := score.CIDEr(refs, hyps)
		fmt.Printf("%s: CIDEr %.3f, BLEU-4 %.3f, counts right %.1f %%, pointing %.1f %% of %d\n", split, cider, bleu[3], 100*float64(counts)/float64(len(hyps)), 100*float64(hit)/float64(maps), maps)
	}
	return nil
}
