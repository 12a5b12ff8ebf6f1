package league

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gaze/internal/atomicfile"
	"gaze/pkg/evaluate/maps"
)

// store keeps arrays of numbers in a folder, by an entry and a block of pictures. A file
// holds some entries of one block and is whole or not there, so work that was interrupted
// goes on from the last whole file. It is safe for concurrent use.
type store struct {
	dir  string // "": in memory alone
	mu   sync.Mutex
	kept map[[2]string][]float64 // by the keys of block and entry
}

// kept is the content of a file.
type keptBlock struct {
	Scope   string // what all numbers of the folder depend on
	Block   string
	Entries []string
	Values  [][]byte // of each entry, float64, little-endian
}

// openStore reads what is kept below dir about a scope, which says all that the numbers
// depend on besides entry and block.
func openStore(dir, what, scope string) (*store, error) {
	s := &store{kept: map[[2]string][]float64{}}
	if dir == "" {
		return s, nil
	}
	s.dir = filepath.Join(dir, what+"-"+digest(scope)[:12])
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".gob") {
			continue
		}
		if err := s.read(filepath.Join(s.dir, f.Name()), scope); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// read takes in a file. One that can't be understood, or that is about another scope, is as
// if it weren't there.
func (s *store) read(path, scope string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var b keptBlock
	if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&b); err != nil || b.Scope != scope || len(b.Values) != len(b.Entries) {
		return nil
	}
	for i, e := range b.Entries {
		values := make([]float64, len(b.Values[i])/8)
		for k := range values {
			values[k] = math.Float64frombits(binary.LittleEndian.Uint64(b.Values[i][8*k:]))
		}
		s.kept[[2]string{b.Block, e}] = values
	}
	return nil
}

// get returns what is kept of an entry in a block.
func (s *store) get(block, entry string) ([]float64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.kept[[2]string{block, entry}]
	return v, ok
}

// put keeps the numbers of some entries in a block.
func (s *store) put(scope, block string, entries []string, values [][]float64) error {
	s.mu.Lock()
	for i, e := range entries {
		s.kept[[2]string{block, e}] = values[i]
	}
	s.mu.Unlock()
	if s.dir == "" {
		return nil
	}
	b := keptBlock{Scope: scope, Block: block, Entries: entries}
	for _, v := range values {
		bits := make([]byte, 0, 8*len(v))
		for _, x := range v {
			bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(x))
		}
		b.Values = append(b.Values, bits)
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(b); err != nil {
		return err
	}
	name := digest(block)[:12] + "-" + digest(strings.Join(entries, "\n"))[:8] + ".gob"
	return atomicfile.WriteBytes(filepath.Join(s.dir, name), out.Bytes())
}

// digest is the SHA-256 of a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// caseKey tells a picture from others: its name, the explained class, and its values.
func caseKey(c *maps.Case) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %d %d %v\n", c.Name, c.Stratum, c.Index, c.Class, c.Tensor.Shape)
	_ = binary.Write(sum, binary.LittleEndian, c.Tensor.Data) // a hash takes everything
	for _, m := range []*[]uint8{pixels(c, false), pixels(c, true)} {
		if m != nil {
			sum.Write(*m)
		}
		sum.Write([]byte{0xff})
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// pixels are those of a picture's mask, nil if there is none.
func pixels(c *maps.Case, head bool) *[]uint8 {
	switch {
	case head && c.Head != nil:
		return &c.Head.Pix
	case !head && c.Pet != nil:
		return &c.Pet.Pix
	}
	return nil
}

// blocksOf are the keys of blocks of pictures, each of all pictures in it.
func blocksOf(cases []*maps.Case, size int) (blocks [][]*maps.Case, keys []string) {
	for block := range slices.Chunk(cases, size) {
		var all []string
		for _, c := range block {
			all = append(all, caseKey(c))
		}
		blocks, keys = append(blocks, block), append(keys, digest(strings.Join(all, " ")))
	}
	return blocks, keys
}
