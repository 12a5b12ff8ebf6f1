package cells

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// runtimeHash is the variable of the host that holds order.LibraryHash.
const runtimeHash = "main.LibraryHash"

// adder is the runtime's function that a library calls when it is loaded.
const adder = "runtime.addmoduledata"

// finish turns the Go linker's object into one that can be loaded into the host: names
// without the suffixes that only libraries have, and a jump to the host's function in
// place of the copy of addmoduledata that plugins contain.
func finish(object []byte, h *hostSymbols) error {
	f, err := elf.NewFile(bytes.NewReader(object))
	if err != nil {
		return fmt.Errorf("the linker's object: %w", err)
	}
	symbols, text := f.SectionByType(elf.SHT_SYMTAB), f.Section(".text")
	if symbols == nil || text == nil || int(symbols.Link) >= len(f.Sections) {
		return fmt.Errorf("the linker's object has no symbols or no code")
	}
	names := f.Sections[symbols.Link]
	if symbols.Offset+symbols.Size > uint64(len(object)) || names.Offset+names.Size > uint64(len(object)) || text.Offset+text.Size > uint64(len(object)) {
		return fmt.Errorf("the linker's object is incomplete")
	}
	table, strs := object[symbols.Offset:][:symbols.Size], object[names.Offset:][:names.Size]
	textIndex := 0
	for i, s := range f.Sections {
		if s == text {
			textIndex = i
		}
	}
	target, ok := h.symbols[adder+".abi0"]
	if !ok {
		target, ok = h.symbols[adder]
	}
	if !ok {
		return fmt.Errorf("the host has no %s", adder)
	}
	for ; len(table) >= elf.Sym64Size; table = table[elf.Sym64Size:] {
		at := int(binary.LittleEndian.Uint32(table))
		if at >= len(strs) {
			return fmt.Errorf("the linker's object has a symbol without a name")
		}
		end := bytes.IndexByte(strs[at:], 0)
		if end < 0 {
			return fmt.Errorf("the linker's object has a symbol whose name doesn't end")
		}
		name := strs[at : at+end]
		switch {
		case bytes.HasSuffix(name, []byte(internalABI)):
			name[len(name)-len(internalABI)] = 0
		case string(name) == hashSymbol:
			copy(name, runtimeHash+"\x00")
		case string(name) == adder || strings.HasPrefix(string(name), adder+".abi"):
			jump := jumpTo(target.Value)
			value := binary.LittleEndian.Uint64(table[8:])
			if value+uint64(len(jump)) > text.Size {
				return fmt.Errorf("the linker's object has no room for %s", adder)
			}
			copy(object[text.Offset+value:], jump)
			table[4] = elf.ST_INFO(elf.STB_WEAK, elf.STT_FUNC) // there are two of them
			table[5] = byte(elf.STV_HIDDEN)
			binary.LittleEndian.PutUint16(table[6:], uint16(textIndex))
		}
	}
	return nil
}
