package cells

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"

	"gaze/internal/cells/order"
)

// internalABI is what the linker appends to the names of Go functions in shared libraries.
const internalABI = ".abiinternal"

// assemblyABI is what it appends to those of assembly functions that Go functions also
// have.
const assemblyABI = ".abi0"

// stub returns a shared library that says which of the host's symbols a cell may use. The
// linker reads it in place of the packages' archives; it is never loaded. It has the
// descriptions of types, which the linker reads to find their methods. missing has the
// names of symbols that the host doesn't have.
func stub(h *hostSymbols, refs []reference) (library []byte, missing []string) {
	b := newELF()
	for _, r := range refs {
		if r.internal() {
			continue
		}
		s, ok := h.find(r)
		if !ok {
			missing = append(missing, r.name)
			continue
		}
		b.refer(h, r, s)
	}
	b.add(hashSymbol, elf.Symbol{Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_OBJECT), Size: 16}, nil)
	// The linker looks for this one, but nothing calls it.
	b.add("runtime.mapinitnoop"+internalABI, elf.Symbol{Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)}, nil)
	return b.bytes(), missing
}

// refer adds the host's symbol s that a reference means.
func (b *elfBuilder) refer(h *hostSymbols, r reference, s elf.Symbol) {
	switch isType := strings.HasPrefix(s.Name, "type:"); {
	case isType && elf.ST_TYPE(s.Info) != elf.STT_FUNC && !strings.HasPrefix(s.Name, "type:."):
		b.add(s.Name, s, b.withMask(h, s))
	case !isType && elf.ST_TYPE(s.Info) == elf.STT_FUNC && r.abi == 1:
		b.add(s.Name+internalABI, s, nil)
	case !isType && elf.ST_TYPE(s.Info) == elf.STT_FUNC:
		b.add(strings.TrimSuffix(s.Name, assemblyABI)+assemblyABI, s, nil)
	default:
		b.add(s.Name, s, nil)
	}
}

// elfBuilder makes a 64-bit little-endian ELF library with a table of dynamic symbols.
type elfBuilder struct {
	names, types bytes.Buffer
	symbols      []elf.Sym64
	seen         map[string]bool
}

func newELF() *elfBuilder {
	b := &elfBuilder{symbols: make([]elf.Sym64, 1), seen: map[string]bool{}}
	b.names.WriteByte(0)
	return b
}

const (
	stubNone = iota
	stubSymbols
	stubNames
	stubRelocations
	stubHash
	stubDeps
	stubTypes
	stubSections
	stubCount
)

func (b *elfBuilder) add(name string, s elf.Symbol, contents []byte) {
	if b.seen[name] {
		return
	}
	b.seen[name] = true
	out := elf.Sym64{Name: uint32(b.names.Len()), Info: s.Info, Shndx: stubTypes, Value: s.Value, Size: s.Size}
	if contents != nil {
		out.Value = typesAddress + uint64(b.types.Len())
		b.types.Write(contents)
	}
	b.names.WriteString(name)
	b.names.WriteByte(0)
	b.symbols = append(b.symbols, out)
}

// typesAddress is the address of the section of types; no other section has one.
const typesAddress = 1 << 28

// Offsets in a type's description (internal/abi.Type).
const (
	typePointers = 8  // bytes of a value that may have pointers
	typeMask     = 32 // address of a bit for each word of these
)

// withMask returns a type's description. Its pointer mask is copied behind the types that
// the builder already has, since the linker reads it, too.
func (b *elfBuilder) withMask(h *hostSymbols, s elf.Symbol) []byte {
	description, ok := h.contents(s.Value, s.Size)
	if !ok || len(description) < typeMask+8 {
		return nil
	}
	words := binary.LittleEndian.Uint64(description[typePointers:]) / 8
	mask, ok := h.contents(binary.LittleEndian.Uint64(description[typeMask:]), (words+7)/8)
	if !ok {
		return description
	}
	description = bytes.Clone(description)
	binary.LittleEndian.PutUint64(description[typeMask:], typesAddress+uint64(b.types.Len()))
	b.types.Write(mask)
	b.types.Write(make([]byte, -len(mask)&7))
	return description
}

// hashSymbol is a string that the runtime compares with order.LibraryHash.
const hashSymbol = "go:link.abihash." + stubFile

// stubFile is the name of the library's file.
const stubFile = "libhost.so"

// note returns a section of notes of the Go linker.
func note(tag uint32, contents []byte) []byte {
	var b bytes.Buffer
	for _, v := range []uint32{4, uint32(len(contents)), tag} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("Go\x00\x00")
	b.Write(contents)
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
	return b.Bytes()
}

func (b *elfBuilder) bytes() []byte {
	var symbols bytes.Buffer
	binary.Write(&symbols, binary.LittleEndian, b.symbols)
	contents := [stubCount][]byte{
		stubSymbols: symbols.Bytes(), stubNames: b.names.Bytes(), stubHash: note(2, []byte(order.LibraryHash)), stubDeps: note(3, nil),
		stubTypes: append(b.types.Bytes(), make([]byte, 8)...), // never empty
	}
	kinds := [stubCount]elf.Section64{
		stubSymbols:     {Type: uint32(elf.SHT_DYNSYM), Link: stubNames, Info: 1, Entsize: elf.Sym64Size},
		stubNames:       {Type: uint32(elf.SHT_STRTAB)},
		stubRelocations: {Type: uint32(elf.SHT_RELA), Link: stubSymbols, Entsize: 24},
		stubHash:        {Type: uint32(elf.SHT_NOTE)},
		stubDeps:        {Type: uint32(elf.SHT_NOTE)},
		stubTypes:       {Type: uint32(elf.SHT_PROGBITS), Addr: typesAddress},
		stubSections:    {Type: uint32(elf.SHT_STRTAB)},
	}
	var sectionNames bytes.Buffer
	sectionNames.WriteByte(0)
	for i, name := range []string{stubSymbols: ".dynsym", stubNames: ".dynstr", stubRelocations: ".rela.dyn", stubHash: ".note.go.abihash", stubDeps: ".note.go.deps", stubTypes: ".types", stubSections: ".shstrtab"} {
		if name == "" {
			continue
		}
		kinds[i].Name = uint32(sectionNames.Len())
		sectionNames.WriteString(name)
		sectionNames.WriteByte(0)
	}
	contents[stubSections] = sectionNames.Bytes()

	var body bytes.Buffer
	const headerSize = 64
	for i := range contents {
		for body.Len()%16 != 0 {
			body.WriteByte(0)
		}
		kinds[i].Off, kinds[i].Size = uint64(headerSize+body.Len()), uint64(len(contents[i]))
		body.Write(contents[i])
	}
	kinds[stubNone] = elf.Section64{}
	for body.Len()%16 != 0 {
		body.WriteByte(0)
	}
	header := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Ehsize: headerSize,
		Shoff: uint64(headerSize + body.Len()), Shentsize: 64, Shnum: stubCount, Shstrndx: stubSections,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS], header.Ident[elf.EI_DATA], header.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	var out bytes.Buffer
	binary.Write(&out, binary.LittleEndian, header)
	out.Write(body.Bytes())
	binary.Write(&out, binary.LittleEndian, kinds)
	return out.Bytes()
}
