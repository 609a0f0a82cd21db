package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8
const tileWidth = 1 << tileHeight

// checkLog reads a folder in the layout of tlog-tiles: the checkpoint's signature, the tree that the
// tiles make, every entry against its leaf, an inclusion proof for every leaf, and, with an earlier
// checkpoint, that this log extends it.
func checkLog(args []string) (string, error) {
	if len(args) != 2 && len(args) != 3 {
		return "", errors.New(usage)
	}
	folder, vkey := args[0], args[1]
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(text, vkey)
	if err != nil {
		return "", err
	}
	// the reader checks each tile against the signed root before it hands out a hash
	hashes := tlog.TileHashReader(tree, tiles(folder))
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return "", err
	}
	if root != tree.Hash {
		return "", errors.New("the tiles do not give the signed root")
	}
	if err := checkEntries(folder, tree, hashes); err != nil {
		return "", err
	}
	if len(args) == 3 {
		if err := checkExtends(args[2], vkey, tree, hashes); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d leaves", tree.N), nil
}

func checkEntries(folder string, tree tlog.Tree, hashes tlog.HashReader) error {
	for n := int64(0); n*tileWidth < tree.N; n++ {
		width := min(tileWidth, tree.N-n*tileWidth)
		bundle, err := os.ReadFile(filepath.Join(folder, tilePath("entries", n, int(width))))
		if err != nil {
			return err
		}
		for i := range width {
			entry, rest, err := cutEntry(bundle)
			if err != nil {
				return fmt.Errorf("entry %d: %w", n*tileWidth+i, err)
			}
			bundle = rest
			if err := checkEntry(tree, n*tileWidth+i, entry, hashes); err != nil {
				return err
			}
		}
		if len(bundle) > 0 {
			return fmt.Errorf("entry bundle %d has bytes too many", n)
		}
	}
	return nil
}

func checkEntry(tree tlog.Tree, index int64, entry []byte, hashes tlog.HashReader) error {
	proof, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return fmt.Errorf("entry %d: %w", index, err)
	}
	return nil
}

func checkExtends(path, vkey string, tree tlog.Tree, hashes tlog.HashReader) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	earlier, err := openCheckpoint(text, vkey)
	if err != nil {
		return fmt.Errorf("earlier checkpoint: %w", err)
	}
	if earlier.N > tree.N {
		return fmt.Errorf("the log has %d leaves and had %d", tree.N, earlier.N)
	}
	if earlier.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, earlier.N, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, earlier.N, earlier.Hash); err != nil {
		return fmt.Errorf("the log does not extend the earlier checkpoint: %w", err)
	}
	return nil
}

func openCheckpoint(text []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

// checkProof reads one proof by https://c2sp.org/tlog-proof whose extra data is the leaf.
func checkProof(args []string) (string, error) {
	if len(args) != 2 {
		return "", errors.New(usage)
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", errors.New("not a proof that carries its leaf")
	}
	extra, hasExtra := strings.CutPrefix(lines[1], "extra ")
	number, hasIndex := strings.CutPrefix(lines[2], "index ")
	if !hasExtra || !hasIndex {
		return "", errors.New("not a proof that carries its leaf")
	}
	leaf, err := base64.StdEncoding.DecodeString(extra)
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return "", err
	}
	var path tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return "", err
		}
		path = append(path, hash)
	}
	tree, err := openCheckpoint(checkpoint, args[1])
	if err != nil {
		return "", err
	}
	if err := tlog.CheckRecord(path, tree.N, tree.Hash, index, tlog.RecordHash(leaf)); err != nil {
		return "", err
	}
	return fmt.Sprintf("leaf %d of %d", index, tree.N), nil
}

// tiles serves a folder to sumdb/tlog, which asks by coordinates.
type tiles string

func (tiles) Height() int { return tileHeight }

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (folder tiles) ReadTiles(asked []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range asked {
		level := strconv.Itoa(tile.L)
		text, err := os.ReadFile(filepath.Join(string(folder), tilePath(level, tile.N, tile.W)))
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// tilePath is the layout of https://c2sp.org/tlog-tiles: x001/x234/067, and .p/WIDTH when partial.
func tilePath(level string, n int64, width int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if width < tileWidth {
		name = fmt.Sprintf("%s.p/%d", name, width)
	}
	return filepath.Join("tile", level, name)
}

func cutEntry(bundle []byte) (entry, rest []byte, err error) {
	if len(bundle) < 2 {
		return nil, nil, errors.New("the bundle is cut")
	}
	size := int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < 2+size {
		return nil, nil, errors.New("the bundle is cut")
	}
	return bundle[2 : 2+size], bundle[2+size:], nil
}
