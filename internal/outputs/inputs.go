package outputs

import (
	"io/fs"
	"os"
)

// inputs are the files that a command reads: by identity, which links and other
// spellings share, and by path, since a file may be missing.
type inputs struct {
	byIdentity map[identity]string
	byPath     map[string]string
	// loose are files of systems that have no identities to look up.
	loose []looseInput
}

type looseInput struct {
	info fs.FileInfo
	path string
}

func (in *inputs) add(path, canon string) {
	if in.byPath == nil {
		in.byPath = map[string]string{}
	}
	if _, known := in.byPath[canon]; known {
		return
	}
	in.byPath[canon] = path
	for _, look := range []func(string) (fs.FileInfo, error){os.Lstat, os.Stat} {
		info, err := look(path)
		if err != nil || info.IsDir() {
			continue
		}
		in.addInfo(info, path)
	}
}

// addInfo notes a file by its identity.
func (in *inputs) addInfo(info fs.FileInfo, path string) {
	id, ok := identify(info)
	if !ok {
		in.loose = append(in.loose, looseInput{info, path})
		return
	}
	if in.byIdentity == nil {
		in.byIdentity = map[identity]string{}
	}
	if _, known := in.byIdentity[id]; !known {
		in.byIdentity[id] = path
	}
}

// at is the input that a path or one of the files found there is.
func (in *inputs) at(canon string, infos ...fs.FileInfo) (path string, ok bool) {
	if path, ok := in.byPath[canon]; ok {
		return path, true
	}
	for _, info := range infos {
		if info == nil {
			continue
		}
		if id, ok := identify(info); ok {
			if path, ok := in.byIdentity[id]; ok {
				return path, true
			}
			continue
		}
		for _, l := range in.loose {
			if os.SameFile(info, l.info) {
				return l.path, true
			}
		}
	}
	return "", false
}
