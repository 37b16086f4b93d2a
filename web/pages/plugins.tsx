export { PluginsScreen as default } from '../screens/plugins/plugins-screen.tsx';
