/**
 * Capacity, queue and agents.
 */
export const SystemView = () => <h1>System</h1>
