/** The first lines of every generated page. */
export function heading(title: string, intro: string, source: string): string {
  return `# ${title}\n\n<!-- Written by \`npm run docs\` from ${source}: edit that. -->\n\n${intro}\n`;
}

/** A table; the cells may hold Markdown. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), `|${columns.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Text that would end a cell or a line does not. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');

/** As code. */
export const code = (text: string): string => `\`${text}\``;

/** Sections with an empty line between them, and one line break at the end. */
export const page = (sections: readonly string[]): string => `${sections.map((each) => each.trimEnd()).join('\n\n')}\n`;
