package outputs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Check examines all outputs before any of them is written. It returns a [*Conflict] if
// an output is also an input, or if two outputs are the same file. Any other error names
// outputs that can't be written, or existing files that Gaze didn't write.
func (p *Plan) Check() error {
	for _, o := range p.outputs {
		itself, target, err := lookAt(o.path)
		if err != nil {
			return fmt.Errorf("%s can't be written: %w", o.path, err)
		}
		o.before, o.target = itself, target
		o.device = o.stream && IsStream(o.path)
	}
	if err := p.checkInputs(); err != nil {
		return err
	}
	if err := p.checkEachOther(); err != nil {
		return err
	}
	if err := p.checkPlaces(); err != nil {
		return err
	}
	if err := p.checkExisting(); err != nil {
		return err
	}
	for _, o := range p.outputs {
		p.planned[o.canon] = o
	}
	return nil
}

// checkInputs returns a Conflict for outputs that are inputs.
func (p *Plan) checkInputs() error {
	c := &Conflict{}
	for _, o := range p.outputs {
		input, is := p.inputs.at(o.canon, o.before, o.target)
		switch {
		case !is || o.device && (o.target == nil || !o.target.Mode().IsRegular()):
		case input == o.path:
			c.lines = append(c.lines, fmt.Sprintf("the output of %s would replace %s, which is read here", o.from, o.path))
		default:
			c.lines = append(c.lines, fmt.Sprintf("the output of %s would replace %s, which is %s and is read here", o.from, o.path, input))
		}
	}
	for _, o := range p.prints {
		if input, is := p.inputs.at("", o.info); is {
			c.lines = append(c.lines, fmt.Sprintf("%s goes to %s, which is read here", o.name, input))
		}
	}
	if len(c.lines) == 0 {
		return nil
	}
	return c
}

// checkEachOther returns a Conflict for outputs that would replace each other, on this
// file system or on one that the results may be copied to.
func (p *Plan) checkEachOther() error {
	c := &Conflict{Collision: true}
	first := map[string]*output{}
	byIdentity := map[identity]*output{}
	told := map[[2]string]bool{} // reports two pictures with several outputs only once
	for _, o := range p.outputs {
		if o.device {
			continue
		}
		name := fold(o.canon)
		if other, taken := first[name]; taken {
			if pair := [2]string{other.from, o.from}; !told[pair] {
				told[pair] = true
				c.lines = append(c.lines, both(other, o))
			}
			continue
		}
		first[name] = o
		if o.target == nil {
			continue
		}
		id, ok := identify(o.target)
		if other, taken := byIdentity[id]; ok && taken {
			c.lines = append(c.lines, fmt.Sprintf("%s (the output of %s) and %s (the output of %s) are the same file", other.path, other.from, o.path, o.from))
		} else if ok {
			byIdentity[id] = o
		}
	}
	if len(c.lines) == 0 {
		return nil
	}
	return c
}

// both describes two outputs with the same name.
func both(a, b *output) string {
	switch {
	case a.path == b.path:
		return fmt.Sprintf("%s and %s both write %s", a.from, b.from, a.path)
	case a.canon == b.canon:
		return fmt.Sprintf("%s and %s both write %s, which is %s", a.from, b.from, a.path, b.path)
	}
	return fmt.Sprintf("%s and %s write %s and %s, which are the same file on systems that ignore case or accents", a.from, b.from, a.path, b.path)
}

// checkPlaces returns an error for an output whose path can't become a file.
func (p *Plan) checkPlaces() error {
	folders := map[string]error{}
	for _, o := range p.outputs {
		err := o.checkPlace()
		if err == nil && !o.device {
			err = checkFolder(filepath.Dir(o.path), folders)
		}
		if err != nil {
			return fmt.Errorf("%s can't be written: %w", o.path, err)
		}
	}
	return nil
}

// checkPlace returns an error if something at the output's path can't be replaced by a
// file.
func (o *output) checkPlace() error {
	switch {
	case o.target != nil && o.target.IsDir():
		return errors.New("it is a folder")
	case strings.HasSuffix(o.path, string(filepath.Separator)):
		return fmt.Errorf("a file name doesn't end in %c", filepath.Separator)
	case o.target == nil || o.device:
		return nil
	case !o.target.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	return nil
}

// checkFolder returns an error if a folder can't be created, or if files can't be created
// in it. known caches the results.
func checkFolder(dir string, known map[string]error) error {
	if err, asked := known[dir]; asked {
		return err
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		err = fmt.Errorf("%s is not a folder", dir)
	case err == nil:
		err = canCreateIn(dir)
	case errors.Is(err, fs.ErrNotExist):
		if _, link := os.Lstat(dir); link == nil {
			err = fmt.Errorf("%s is a link that leads nowhere", dir)
		} else if up := filepath.Dir(dir); up != dir {
			err = checkFolder(up, known)
		}
	}
	known[dir] = err
	return err
}

// canCreateIn tests whether files can be created in a folder by creating and removing one.
func canCreateIn(dir string) error {
	f, err := os.CreateTemp(dir, ".gaze-*.tmp")
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("no file can be created in %s: %w", dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// checkExisting returns an error for existing files that Gaze didn't write.
func (p *Plan) checkExisting() error {
	if p.Force {
		return nil
	}
	var lines []string
	for _, o := range p.outputs {
		if o.before == nil || o.device {
			continue
		}
		if why := p.foreign(o); why != "" {
			lines = append(lines, o.path+" "+why)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s: use --force to replace it, or choose another name", listed(lines, "; "))
}

// foreign says why an existing file may not be replaced; "" if Gaze wrote it.
func (p *Plan) foreign(o *output) string {
	switch {
	case o.before.Mode()&fs.ModeSymlink != 0:
		return "already exists, as a link that Gaze didn't create"
	case o.before.Mode().Perm()&0o222 == 0:
		return "already exists and is write-protected"
	}
	switch p.record.find(o.canon, o.path, o.before) {
	case ours:
		return ""
	case changed:
		return "was changed since Gaze wrote it"
	}
	if err := p.record.usable(); err != nil {
		return fmt.Sprintf("already exists, and the cache can't tell whether Gaze wrote it (%v)", err)
	}
	return "already exists and wasn't written by Gaze"
}
