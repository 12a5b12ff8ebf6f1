package cells

import (
	"debug/elf"
	"encoding/binary"
)

const machine = elf.EM_X86_64

// jumpTo returns code that jumps to an address.
func jumpTo(address uint64) []byte {
	code := binary.LittleEndian.AppendUint64([]byte{0x48, 0xb8}, address) // MOVQ $address, AX
	return append(code, 0xff, 0xe0)                                       // JMP AX
}
