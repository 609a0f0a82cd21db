package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/transparency-dev/formats/log"
	formats "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// claim is one proof as our own code wrote it; []byte is base64 in JSON.
type claim struct {
	Kind     string
	Index    uint64
	From, To uint64
	Leaf     []byte
	FromRoot []byte
	ToRoot   []byte
	Proof    [][]byte
}

// checkMerkle answers how many claims hold, and fails at the first that does not.
func checkMerkle(args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New(usage)
	}
	file, err := os.Open(args[0])
	if err != nil {
		return "", err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	count := 0
	for ; lines.Scan(); count++ {
		var c claim
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return "", err
		}
		if err := c.check(); err != nil {
			return "", fmt.Errorf("claim %d, %s: %w", count, c.Kind, err)
		}
	}
	return fmt.Sprintf("%d proofs", count), lines.Err()
}

func (c claim) check() error {
	hasher := rfc6962.DefaultHasher
	switch c.Kind {
	case "inclusion":
		return proof.VerifyInclusion(hasher, c.Index, c.To, hasher.HashLeaf(c.Leaf), c.Proof, c.ToRoot)
	case "consistency":
		return proof.VerifyConsistency(hasher, c.From, c.To, c.Proof, c.FromRoot, c.ToRoot)
	}
	return fmt.Errorf("unknown kind")
}

// checkCosigned opens a checkpoint as somebody who trusts one log and one witness.
func checkCosigned(args []string) (string, error) {
	if len(args) != 3 {
		return "", errors.New(usage)
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	owner, err := note.NewVerifier(args[1])
	if err != nil {
		return "", err
	}
	witness, err := formats.NewVerifier(args[2])
	if err != nil {
		return "", err
	}
	checkpoint, _, opened, err := log.ParseCheckpoint(text, owner.Name(), owner, witness)
	if err != nil {
		return "", err
	}
	if len(opened.Sigs) != 2 {
		return "", fmt.Errorf("%d of 2 signatures", len(opened.Sigs))
	}
	return fmt.Sprintf("%d leaves, cosigned by %s", checkpoint.Size, witness.Name()), nil
}
