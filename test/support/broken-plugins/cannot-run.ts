import sound from './sound.ts';

export default { ...sound, run: 'a command' };
