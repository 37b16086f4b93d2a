import { useAddress } from '../../client/use-address.ts';
import { Page } from '../../design/page.tsx';
import { Tabs } from '../../design/tabs.tsx';
import { AccountTab } from './account-tab.tsx';
import { AuditTab } from './audit-tab.tsx';
import { StorageTab } from './storage-tab.tsx';
import { TokensTab } from './tokens-tab.tsx';

type Tab = 'tokens' | 'audit' | 'storage' | 'account';
const TABS: readonly { readonly name: Tab; readonly title: string }[] = [
  { name: 'tokens', title: 'Tokens' },
  { name: 'audit', title: 'Audit' },
  { name: 'storage', title: 'Storage' },
  { name: 'account', title: 'Account' },
];

/** Who gets in, what was done here and by whom, what is kept, and who the reader is. */
export function SettingsScreen() {
  const [read, write] = useAddress();
  const tab = TABS.find(({ name }) => name === read('tab'))?.name ?? 'tokens';
  return (
    <Page title="Settings">
      <Tabs<Tab>
        label="Settings"
        tabs={TABS}
        chosen={tab}
        // What narrows one tab down means nothing to another.
        choose={(next) => write({ tab: next, ended: null, actor: null, action: null, subject: null })}
      >
        <Shown tab={tab} />
      </Tabs>
    </Page>
  );
}

function Shown({ tab }: { readonly tab: Tab }) {
  switch (tab) {
    case 'tokens':
      return <TokensTab />;
    case 'audit':
      return <AuditTab />;
    case 'storage':
      return <StorageTab />;
    case 'account':
      return <AccountTab />;
    default:
      return tab satisfies never;
  }
}
