package cells

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

func TestRename(t *testing.T) {
	long := strings.Repeat("x", 130)
	for _, test := range []struct {
		flags      byte
		text, want string
	}{
		{1, "*main.Pair[plugin/cell.P,int]", "*main.Pair[main.P,int]"},
		{0, "map[main.A[plugin/cell.B]]main.A[plugin/cell.C]", "map[main.A[main.B]]main.A[main.C]"},
		{0, packagePath, "main"},
		{0, "plugin/cellar", "plugin/cellar"},
		{3, "with a tag plugin/cell.P", "with a tag plugin/cell.P"},
		{0, long + "[plugin/cell.P]", long + "[main.P]"},
		{0, strings.Repeat("y", 112) + "[plugin/cell.P]", strings.Repeat("y", 112) + "[main.P]"}, // no second byte needed any more
		{0, "", ""},
	} {
		name := append(binary.AppendUvarint([]byte{test.flags}, uint64(len(test.text))), test.text...)
		size := len(name)
		rename(name)
		length, n := binary.Uvarint(name[1:])
		if n <= 0 || len(name) != size || string(name[1+n:][:length]) != test.want {
			t.Errorf("%.40s became %q", test.text, name)
		}
	}
	rename(nil)
	rename([]byte{0, 200}) // cut off
}

func FuzzNameTypes(f *testing.F) {
	f.Add([]byte("!<arch>\n"))
	f.Add(slices.Concat([]byte("!<arch>\n_go_.o          0           0     0     644     200       `\n"), []byte(objectMagic), make([]byte, 200-len(objectMagic))))
	f.Fuzz(func(t *testing.T, archive []byte) {
		size := len(archive)
		if nameTypes(archive); len(archive) != size {
			t.Error("another size")
		}
	})
}
