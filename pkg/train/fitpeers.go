package train

import (
	"context"
	"fmt"
)

// peers are the processes that train the run together; nil: this one alone.
func (r *run) peers() Peers { return r.trainer.opt.Peers }

// follows says whether another process keeps the run's folder.
func (r *run) follows() bool { return r.trainer.rank() > 0 }

// openFollower is open where another process keeps the folder: it only reads the checkpoint.
func (r *run) openFollower() error {
	var old *Manifest
	var err error
	if r.Resume {
		if old, err = ReadManifest(r.Dir); err != nil {
			return fmt.Errorf("all processes need to see the run's folder: %w", err)
		}
		if r.at, _, err = readCheckpoint(r.Dir, r.trainer); err != nil {
			return err
		}
	}
	if r.extend != nil {
		if r.manifest.History, err = r.extend(old, r.at); err != nil {
			return err
		}
	}
	return r.checkSame()
}

// checkSame makes sure that all processes begin the same run at the same place. The first
// writes nothing that others read before all have come here.
func (r *run) checkSame() error {
	return checkSame(r.peers(), fmt.Sprintln(r.Settings, r.Data, r.Epochs, r.Train.Len(), r.at.epoch, r.at.batch, r.trainer.updates, r.trainer.batches))
}

// stopped says whether the run is to stop here. Several processes stop together, between two
// updates.
func (r *run) stopped(ctx context.Context) (bool, error) {
	asked := ctx.Err() != nil
	if r.peers() == nil {
		return asked, nil
	}
	if r.trainer.pending > 0 {
		return false, nil
	}
	r.noteSafe()
	stop, err := agree(r.peers(), asked)
	if err != nil {
		err = r.trainer.lost(err)
	}
	return stop, err
}

// noteSafe notes the place at an update, to which the run goes back if the others go.
func (r *run) noteSafe() {
	if r.peers() == nil || r.follows() || r.trainer.pending > 0 {
		return
	}
	r.safe = r.at
	r.safe.metrics, r.safe.events, r.safe.trained = r.log.size, r.events.size, r.trainer.batches
}

// checkpointIfDue makes a checkpoint every CheckpointEvery batches. Several processes make it
// at the update that follows.
func (r *run) checkpointIfDue() error {
	if r.CheckpointEvery > 0 && r.at.batch%r.CheckpointEvery == 0 {
		r.due = true
	}
	if !r.due || r.peers() != nil && r.trainer.pending > 0 {
		return nil
	}
	r.due = false
	return r.checkpoint()
}
