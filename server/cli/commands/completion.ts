import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { CommandFailure } from '../failure.ts';

/** The completion script for a shell, made of the command table that it is given. */
export function completionCommand(table: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'Prints a completion script for bash or zsh.',
    arguments: [{ name: 'shell', summary: '`bash` or `zsh`.' }],
    examples: [{ command: 'source <(gantry completion bash)', meaning: 'complete commands and options in this shell' }],
    run({ arguments: [shell], context }) {
      if (shell !== 'bash' && shell !== 'zsh') {
        throw new CommandFailure({
          code: 'USAGE',
          message: `There is no completion for “${shell ?? ''}”.`,
          remedy: 'bash and zsh have one.',
        });
      }
      const script = bashScript(table());
      context.output.line(shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${script}` : script);
      return Promise.resolve(EXIT_CODES.SUCCEEDED.code);
    },
  };
}

function bashScript(commands: readonly Command[]): string {
  const first = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))];
  const cases = first.map((word) => {
    const own = commands.filter(({ name }) => name.split(' ')[0] === word);
    const verbs = own.flatMap(({ name }) => name.split(' ').slice(1));
    const flags = own.flatMap(({ options = [] }) =>
      options.flatMap((option) => /--[a-z-]+/.exec(option.flags)?.[0] ?? []),
    );
    return `    ${word}) words="${[...verbs, ...new Set(flags), '--help', '--json'].join(' ')}" ;;`;
  });
  return [
    '_gantry() {',
    '  local words',
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    `    *) words="${first.join(' ')} help" ;;`,
    '  esac',
    `  [ "$COMP_CWORD" -eq 1 ] && words="${first.join(' ')} help"`,
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -o default -F _gantry gantry',
  ].join('\n');
}
