package report

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"gaze/pkg/study"
)

// PetsRecordName is the file of the recorded study on photographs.
const PetsRecordName = "study-pets.json"

//go:embed records
var records embed.FS

// PetsRecord is the recorded study on photographs; nil if the program was built without
// one.
func PetsRecord() (*study.Result, error) {
	text, err := records.ReadFile("records/" + PetsRecordName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := study.ParseRecord(text)
	if err != nil {
		return nil, fmt.Errorf("the recorded study: %w", err)
	}
	return rec.Result(), nil
}
