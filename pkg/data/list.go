package data

// extensions are the name endings of the formats that Decode reads.
var extensions = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff"}

// List returns the picture files that paths name, sorted by base name (by whole
// path where base names are equal).
//
// A file is taken whatever its name. Of a folder, the files directly in it are
// taken whose name ends as a picture's does (.jpg, .png, .gif, .webp, .bmp,
// .tif and their variants, in either case) and doesn't begin with a dot. A file
// named twice, by itself or through its folder, is listed once. Base names
// without their endings needn't be unique: whoever names outputs by them has to
// look.
//
// A path that doesn't exist, and a folder without pictures, are errors. [Find]
// also searches folders in folders, and says what it passed over.
func List(paths []string) ([]string, error) {
	listing, err := Find(paths, FindOptions{})
	if err != nil {
		return nil, err
	}
	found := make([]string, len(listing.Pictures))
	for i, p := range listing.Pictures {
		found[i] = p.Path
	}
	return found, nil
}
