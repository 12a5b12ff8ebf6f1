package batch

import (
	"os"
	"path/filepath"

	"gaze/pkg/batch/store"
)

// LogFolder makes and returns the folder for the logs of the processes that an engine starts.
// It is "" if the job is in a bucket, where nothing can be appended.
func (j *Job) LogFolder() (string, error) {
	at := j.Store.String()
	if store.IsURL(at) {
		return "", nil
	}
	folder := filepath.Join(at, "logs")
	return folder, os.MkdirAll(folder, 0o755)
}
