package cells

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
)

// keepPackage is a package of the host with one variable, whose object file is replaced by
// one that refers to every function and variable of the host's packages. So the linker
// keeps all of them: code that the compiler copies from a package into a cell may call any.
const keepPackage = "gaze/internal/cells/keep"

// keepVariable is its variable.
const keepVariable = keepPackage + ".All"

// keepObject returns an archive in place of keepPackage's own, which refers to all that the
// archives of exports define.
func keepObject(own string, exports map[string]string) ([]byte, error) {
	archive, err := os.ReadFile(own)
	if err != nil {
		return nil, err
	}
	before, header, err := openObject(archive)
	if err != nil {
		return nil, err
	}
	seen := map[reference]bool{}
	var refs []reference
	for _, path := range slices.Sorted(maps.Keys(exports)) {
		if path == keepPackage || path == "runtime/race" || path == "unsafe" {
			continue
		}
		data, err := os.ReadFile(exports[path])
		if err != nil {
			return nil, err
		}
		defined, err := definitions(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, d := range defined {
			if r := (reference{name: d.name, abi: d.abi}); !seen[r] {
				seen[r] = true
				refs = append(refs, r)
			}
		}
	}
	refs = append(refs, reference{name: adder}) // only loaded libraries call it
	definition, err := member(archive, "__.PKGDEF")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("!<arch>\n")
	addMember(&out, "__.PKGDEF", definition)
	addMember(&out, "_go_.o", append(slices.Clone(header), referringObject(before, refs)...))
	return out.Bytes(), nil
}

// addMember adds a file to an archive in ar's format.
func addMember(out *bytes.Buffer, name string, data []byte) {
	fmt.Fprintf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, len(data))
	out.Write(data)
	if len(data)%2 != 0 {
		out.WriteByte(0)
	}
}

// referringObject returns an object file that defines keepVariable with a pointer to each
// symbol. Its fingerprint is that of the object that it replaces.
func referringObject(before object, refs []reference) []byte {
	var names bytes.Buffer
	var offsets [blockCount]uint32
	at := objectHeader + 4*blockCount
	u32 := func(v ...uint32) []byte {
		var b []byte
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		return b
	}
	symbol := func(name string, abi uint16, kind byte, size uint32) []byte {
		b := u32(uint32(len(name)), uint32(at+names.Len()))
		names.WriteString(name)
		b = binary.LittleEndian.AppendUint16(b, abi)
		return append(append(b, kind, 0, 0), u32(size, 8)...)
	}
	var blocks [blockCount][]byte
	blocks[blockPackages] = u32(0, uint32(at))
	blocks[blockDefinition] = symbol(keepVariable, 0, kindNoPointersData, uint32(8*len(refs)))
	for i, r := range refs {
		blocks[blockReference] = append(blocks[blockReference], symbol(r.name, r.abi, 0, 0)...)
		blocks[blockRelocations] = append(blocks[blockRelocations], pointerTo(i)...)
	}
	blocks[blockRelocationIndex] = u32(0, uint32(len(refs)))
	blocks[blockRelocationIndex+1] = u32(0, 0)                   // auxiliary symbols
	blocks[blockRelocationIndex+2] = u32(0, uint32(8*len(refs))) // data
	blocks[blockData] = make([]byte, 8*len(refs))

	position := at + names.Len()
	var body bytes.Buffer
	for i, b := range blocks {
		offsets[i] = uint32(position)
		position += len(b)
		body.Write(b)
	}
	out := bytes.NewBuffer(slices.Clone(before[:objectHeader]))
	out.Write(u32(offsets[:]...))
	out.Write(names.Bytes())
	out.Write(body.Bytes())
	return out.Bytes()
}

// Blocks of an object file that only keepObject writes.
const (
	blockRelocationIndex = 11
	blockRelocations     = 14
	blockData            = 16
)

// pointerTo is the relocation of word i: the address of the i-th symbol referred to by name.
func pointerTo(i int) []byte {
	const address, byName = 1, 1<<31 - 1 // R_ADDR, PkgIdxNone
	b := binary.LittleEndian.AppendUint32(nil, uint32(8*i))
	b = append(b, 8)
	b = binary.LittleEndian.AppendUint16(b, address)
	b = binary.LittleEndian.AppendUint64(b, 0)
	b = binary.LittleEndian.AppendUint32(b, byName)
	return binary.LittleEndian.AppendUint32(b, uint32(i))
}
