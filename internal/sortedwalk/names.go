package sortedwalk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// names are the sorted entries of a folder. All names are in one text, because a folder of
// ten million files would need a gigabyte as [os.DirEntry] values. The names of folders end
// in a slash there, which puts them where their files belong.
type names struct {
	text    []byte
	entries []entry
}

type entry struct {
	start  uint32
	length uint16
	kind   uint8 // an index in kinds
}

// kinds are the types of files that are told apart.
var kinds = []fs.FileMode{0, fs.ModeDir, fs.ModeSymlink, fs.ModeIrregular}

// at returns the name of entry i and its type.
func (n *names) at(i int) (string, fs.FileMode) {
	e, kind := n.entries[i], kinds[n.entries[i].kind]
	text := n.bytes(e)
	if kind.IsDir() {
		text = text[:len(text)-1]
	}
	return string(text), kind
}

func (n *names) bytes(e entry) []byte { return n.text[e.start:][:e.length] }

func (n *names) add(name string, mode fs.FileMode) {
	kind := slices.Index(kinds, mode.Type())
	if kind < 0 { // a pipe, a socket, a device
		kind = slices.Index(kinds, fs.ModeIrregular)
	}
	e := entry{start: uint32(len(n.text)), kind: uint8(kind)}
	n.text = append(n.text, name...)
	if mode.IsDir() {
		n.text = append(n.text, '/')
	}
	e.length = uint16(len(n.text) - int(e.start))
	n.entries = append(n.entries, e)
}

// readBatch is how many entries of a folder are read at once.
const readBatch = 1024

// readFolder reads a folder; follow gives links the type of what they point to.
func readFolder(dir string, follow bool) (*names, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var n names
	for {
		batch, err := f.ReadDir(readBatch)
		for _, e := range batch {
			mode := e.Type()
			if follow && mode&fs.ModeSymlink != 0 {
				if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil {
					mode = info.Mode()
				}
			}
			n.add(e.Name(), mode)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(n.entries, func(a, b entry) int { return bytes.Compare(n.bytes(a), n.bytes(b)) })
	return &n, nil
}
