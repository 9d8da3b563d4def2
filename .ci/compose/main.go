// Command compose loads a Compose file with the specification's reference implementation, which holds the specification's JSON
// schema: compose FILE ENV_FILE. It fails on whatever `docker compose config` would fail on; no container engine is needed.
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: compose FILE ENV_FILE")
		os.Exit(2)
	}
	if err := check(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "compose:", err)
		os.Exit(1)
	}
}

// check loads the file once without a profile, once with all of them: what needs a service must not lose it.
func check(file, envFile string) error {
	for _, profiles := range [][]string{nil, {"*"}} {
		project, err := load(file, envFile, profiles)
		if err != nil {
			return fmt.Errorf("%s, profiles %v: %w", file, profiles, err)
		}
		fmt.Printf("%s profiles %v: %d services (%s) are valid\n", file, profiles, len(project.Services), strings.Join(names(project), ", "))
	}
	return nil
}

func load(file, envFile string, profiles []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithEnvFiles(envFile),
		cli.WithDotEnv, // only the env file, nothing of this process: a variable without a value there is an empty one
		cli.WithProfiles(profiles),
		cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project, project.CheckContainerNameUnicity()
}

func names(project *types.Project) []string {
	found := project.ServiceNames()
	sort.Strings(found)
	return found
}
