import sound from './sound.ts';

export default { ...sound, name: 'Not A Name' };
