package train

import "iter"

// Ahead gives batches from number from to to, not included, that draw makes one
// after the other, each while the one before is trained on: a [Source] of pictures
// that are drawn as they are needed is no more than a function that makes a batch.
// An error ends it.
func Ahead(from, to int, draw func(batch int) (Batch, error)) iter.Seq2[Batch, error] {
	type made struct {
		Batch
		err error
	}
	return func(yield func(Batch, error) bool) {
		next := make(chan made, 2)
		done := make(chan struct{})
		defer func() {
			close(done)
			for range next { // the one who makes them has gone when this ends
			}
		}()
		go func() {
			defer close(next)
			for i := from; i < to; i++ {
				b, err := draw(i)
				select {
				case next <- made{b, err}:
				case <-done:
					return
				}
				if err != nil {
					return
				}
			}
		}()
		for m := range next {
			if !yield(m.Batch, m.err) || m.err != nil {
				return
			}
		}
	}
}
