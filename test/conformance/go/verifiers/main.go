// Checks a log, its proofs and its checkpoints with other people's libraries: golang.org/x/mod,
// transparency-dev's merkle and formats. Nothing of what it checks is ours. Exit code 0 and one line
// when all holds; 1 and the reason when something does not.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func(args []string) (string, error){
	"log":        checkLog,
	"proof":      checkProof,
	"merkle":     checkMerkle,
	"cosigned":   checkCosigned,
	"with-agent": withAgent,
}

const usage = `usage:
  verifiers log FOLDER VKEY [EARLIER]      every tile, entry and proof (sumdb/tlog, sumdb/note)
  verifiers proof FILE VKEY                one tlog-proof that carries its leaf (sumdb/tlog)
  verifiers merkle FILE                    proofs as JSON lines (transparency-dev/merkle)
  verifiers cosigned FILE VKEY WITNESS     a checkpoint that a witness signed (formats/note)
  verifiers with-agent SOCKET SEED COMMAND…  runs it beside an SSH agent with one key
`

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	said, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(said)
}
