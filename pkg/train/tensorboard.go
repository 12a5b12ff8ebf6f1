package train

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A run's events have the format of TensorBoard: a file of TFRecords, each an Event of
// tensorflow/core/util/event.proto with the fields
//
//	1 wall_time double, 2 step int64, 3 file_version string, 5 summary Summary
//
// where a Summary (tensorflow/core/framework/summary.proto) is a list, field 1,
// of values with 1 tag string and 2 simple_value float.
const (
	eventTime    protowire.Number = 1
	eventStep    protowire.Number = 2
	eventVersion protowire.Number = 3
	eventSummary protowire.Number = 5
	summaryValue protowire.Number = 1
	valueTag     protowire.Number = 1
	valueSimple  protowire.Number = 2
)

// eventFile is the name of the events in a run's folder. It doesn't change, so that a run
// that resumes appends to it. TensorBoard only requires that it contains "tfevents".
const eventFile = "events.out.tfevents.gaze"

// scalar is a value of an event.
type scalar struct {
	tag   string
	value float64
}

// eventLog appends events to a run's event file. What a killed run wrote after its last
// checkpoint is cut off on resuming, as from metrics.jsonl.
type eventLog struct{ *tail }

// openEvents opens the events in a folder and cuts them to size bytes.
func openEvents(dir string, size int64) (*eventLog, error) {
	path := filepath.Join(dir, eventFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		size = 0 // a run of a version before there were events, or its events were deleted; they aren't needed to resume
	}
	end, err := openTail(path, size)
	if err != nil {
		return nil, err
	}
	l := &eventLog{end}
	if size == 0 {
		if err := l.write(encodeRecord(encodeVersion(time.Now()))); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// add writes the values that belong to an update.
func (l *eventLog) add(update int, values ...scalar) error {
	return l.write(encodeRecord(encodeEvent(time.Now(), update, values)))
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// encodeVersion is the first Event of a file.
func encodeVersion(at time.Time) []byte {
	var event []byte
	event = protowire.AppendTag(event, eventTime, protowire.Fixed64Type)
	event = protowire.AppendFixed64(event, math.Float64bits(unixSeconds(at)))
	event = protowire.AppendTag(event, eventVersion, protowire.BytesType)
	return protowire.AppendString(event, "brain.Event:2")
}

// encodeEvent is an Event with a summary of scalars.
func encodeEvent(at time.Time, update int, values []scalar) []byte {
	var summary []byte
	for _, s := range values {
		var value []byte
		value = protowire.AppendTag(value, valueTag, protowire.BytesType)
		value = protowire.AppendString(value, s.tag)
		value = protowire.AppendTag(value, valueSimple, protowire.Fixed32Type)
		value = protowire.AppendFixed32(value, math.Float32bits(float32(s.value)))
		summary = protowire.AppendTag(summary, summaryValue, protowire.BytesType)
		summary = protowire.AppendBytes(summary, value)
	}
	var event []byte
	event = protowire.AppendTag(event, eventTime, protowire.Fixed64Type)
	event = protowire.AppendFixed64(event, math.Float64bits(unixSeconds(at)))
	event = protowire.AppendTag(event, eventStep, protowire.VarintType)
	event = protowire.AppendVarint(event, uint64(update))
	event = protowire.AppendTag(event, eventSummary, protowire.BytesType)
	return protowire.AppendBytes(event, summary)
}

// encodeRecord frames data as TFRecord does: its length, that length's masked
// CRC, the data, their masked CRC; all little endian.
func encodeRecord(data []byte) []byte {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, maskedCRC(record))
	record = append(record, data...)
	return binary.LittleEndian.AppendUint32(record, maskedCRC(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is CRC-32C, rotated and offset so that the CRC of data that contain CRCs is
// still a good checksum (tensorflow/core/lib/hash/crc32c.h).
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
