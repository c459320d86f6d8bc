// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title IFeeVault
/// @notice The coinbase of the chain: gas arrives here as plain balance. Sequencer fees = gas collected − the configured
/// cost of the base layer (wp §2.2.1); they raise the rate of stHEU. All amounts are wei of HEU.
///
/// @dev The cost is due per epoch, whether or not anybody sweeps, and is kept from the first fees. What fees did not
/// cover stays due, up to `Constants.MAX_L1_BACKLOG_EPOCHS` epochs: stakers never pay for a longer past.
/// @dev Nothing here can be paused, and no role can send money anywhere but to the two receivers.
interface IFeeVault {
    /// @notice Keeps what is due for the base layer and gives the rest to stHEU. Anyone may call.
    /// @return fees What stHEU got; 0 when costs took everything.
    function sweep() external returns (uint256 fees);

    /// @notice Pays what was kept for the base layer to `l1CostReceiver`. Anyone may call.
    /// @dev A receiver that refuses coins blocks only this.
    function payL1Cost() external returns (uint256 amount);

    /// @notice Sets the cost of the base layer from the present epoch on, at most `Constants.MAX_L1_COST_PER_EPOCH`, and
    /// who pays it. Epochs before are due at the old cost. Only the owner.
    function setL1Cost(uint96 l1CostPerEpoch, address l1CostReceiver) external;

    /// @notice What `sweep` would give to stHEU now.
    function sweepable() external view returns (uint256 fees);

    /// @notice What is kept for the base layer and not paid yet.
    function retained() external view returns (uint96);

    /// @notice What is due for the base layer, the present epoch included, and is not covered by fees yet.
    function due() external view returns (uint256);

    function l1CostPerEpoch() external view returns (uint96);
    function l1CostReceiver() external view returns (address);
    function stakedHeu() external view returns (address);
    function epochGenesis() external view returns (uint256);

    /// @notice Everything ever given to stHEU, and everything ever paid for the base layer.
    function totals() external view returns (uint256 fees, uint256 l1Costs);
}
