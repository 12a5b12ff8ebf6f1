package cells

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
)

// hostSymbols are the symbols that a host program offers to what is loaded into it.
type hostSymbols struct {
	path    string
	symbols map[string]elf.Symbol
	data    []loaded
}

// loaded is a part of the host's file and the address where it is in memory.
type loaded struct {
	address uint64
	bytes   []byte
}

// readHost reads the symbol table of a host program.
func readHost(path string) (*hostSymbols, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e, err := elf.NewFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	symbols, err := e.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	h := &hostSymbols{path: path, symbols: make(map[string]elf.Symbol, len(symbols))}
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			h.symbols[s.Name] = s
		}
	}
	for _, s := range e.Sections {
		if s.Name != ".rodata" && s.Name != ".data.rel.ro" && s.Name != ".go.type" && s.Name != ".data" {
			continue
		}
		data, err := io.ReadAll(s.Open())
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, s.Name, err)
		}
		h.data = append(h.data, loaded{s.Addr, data})
	}
	return h, nil
}

// contents returns bytes of the program as its file has them.
func (h *hostSymbols) contents(address, size uint64) ([]byte, bool) {
	for _, d := range h.data {
		if end := d.address + uint64(len(d.bytes)); address >= d.address && address <= end && size <= end-address {
			return d.bytes[address-d.address:][:size], true
		}
	}
	return nil, false
}

// find returns the symbol that a reference means.
func (h *hostSymbols) find(r reference) (elf.Symbol, bool) {
	if s, ok := h.symbols[r.name+assemblyABI]; ok && r.abi == 0 {
		return s, true
	}
	s, ok := h.symbols[mangled(r.name)]
	if !ok && strings.HasSuffix(r.name, "..inittask") {
		// A package that has nothing to initialise: its record has no functions.
		return elf.Symbol{Name: r.name, Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT), Size: 8}, true
	}
	return s, ok
}

func (h *hostSymbols) has(name string) bool {
	_, ok := h.symbols[name]
	return ok
}

// mangled returns the name of a symbol in the host's table: the linker replaces long names
// of types by hashes (typeSymbolMangle of cmd/link/internal/ld).
func mangled(name string) string {
	short := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		sum[0] ^= 0xff // as cmd/internal/hash
		return base64.StdEncoding.EncodeToString(sum[:6])
	}
	isType := strings.HasPrefix(name, "type:")
	switch {
	case !isType && !strings.Contains(name, "@"), strings.HasPrefix(name, "type:runtime."), strings.HasPrefix(name, "go:string."),
		len(name) <= 14 && !strings.Contains(name, "@"):
		return name
	case isType && name[5] == '.':
		return "type:." + short(name[5:])
	case isType:
		return "type:" + short(name[5:])
	}
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if j <= i {
		j = len(name)
	}
	return name[:i+1] + short(name[i+1:j]) + name[j:]
}
