// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {Case, Claim, ISlasher, Stage, Stakes, Windows} from "../interfaces/ISlasher.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Constants} from "../libraries/Constants.sol";
import {Errors} from "../libraries/Errors.sol";
import {Events} from "../libraries/Events.sol";
import {NativeTransfer} from "../libraries/NativeTransfer.sol";

/// @title SlasherBase
/// @notice The record of all cases, the money they move, and the parameters. `Slasher` holds the steps.
abstract contract SlasherBase is ISlasher, Ownable2Step {
    /* TYPES */

    /// @dev `locked` of the accuser's bond; `commitment` is zero once it is opened.
    struct Accusation {
        bytes32 commitment;
        uint128 locked;
        Claim claim;
    }

    /// @dev A seat: `commitment` is zero before the vote and after it is opened.
    struct Vote {
        bytes32 commitment;
        uint128 locked;
        uint64 logE;
        bool seated;
        bool opened;
    }

    /* STORAGE */

    /// @inheritdoc ISlasher
    address public immutable registry;

    /// @inheritdoc ISlasher
    address public immutable validators;

    /// @inheritdoc ISlasher
    address public immutable refunds;

    /// @inheritdoc ISlasher
    address public immutable burn;

    /// @inheritdoc ISlasher
    address public restake;

    /// @inheritdoc ISlasher
    uint8 public committeeSize;

    /// @inheritdoc ISlasher
    uint256 public caseCount;

    /// @inheritdoc ISlasher
    uint256 public totalHeld;

    /// @inheritdoc ISlasher
    mapping(address account => uint256) public owedTo;

    /// @inheritdoc ISlasher
    mapping(uint256 nodeId => uint256 caseId) public openCaseOf;

    /// @inheritdoc ISlasher
    mapping(uint256 nodeId => uint64) public jailedUntil;

    /// @inheritdoc ISlasher
    mapping(address nodeOwner => uint256) public offencesOf;

    Windows internal _windows;
    Stakes internal _stakes;
    mapping(address nodeOwner => uint256) internal _openCases;
    mapping(uint256 caseId => Case) internal _cases;
    mapping(uint256 caseId => address[]) internal _accusers;
    mapping(uint256 caseId => mapping(address validator => Accusation)) internal _accusations;
    mapping(uint256 caseId => mapping(uint8 round => address[])) internal _committees;
    mapping(uint256 caseId => mapping(uint8 round => mapping(address member => Vote))) internal _votes;
    mapping(uint256 nodeId => mapping(address validator => uint64)) internal _accusableFrom;

    /* CONSTRUCTOR */

    /// @dev The parts it works with, by address.
    struct Parts {
        address registry;
        address validators;
        address refunds;
        address burn;
    }

    constructor(address owner, Parts memory parts, Windows memory windows_, Stakes memory stakes_, uint8 committeeSize_)
        Ownable(owner)
    {
        require(
            parts.registry != address(0) && parts.validators != address(0) && parts.refunds != address(0)
                && parts.burn != address(0),
            Errors.Shared_ZeroAddress()
        );

        registry = parts.registry;
        validators = parts.validators;
        refunds = parts.refunds;
        burn = parts.burn;
        _setWindows(windows_);
        _setStakes(stakes_);
        _setCommitteeSize(committeeSize_);
    }

    /// @dev What was slashed comes from the node registry, what was seized from the validator registry.
    receive() external payable {
        require(msg.sender == registry || msg.sender == validators, Errors.Slasher_UnexpectedCoins(msg.sender));
    }

    /* MONEY */

    /// @inheritdoc ISlasher
    function withdraw(address receiver) external returns (uint256 amount) {
        amount = owedTo[msg.sender];
        require(amount != 0, Errors.Slasher_NothingOwed(msg.sender));

        owedTo[msg.sender] = 0;
        totalHeld -= amount;

        emit Events.OwedPaid(msg.sender, receiver, amount);

        NativeTransfer.send(receiver, amount);
    }

    /// @dev Assumes that the amount is here and not owed to anyone else.
    function _owe(uint256 caseId, address account, uint256 amount) internal {
        if (amount == 0) return;

        owedTo[account] += amount;
        totalHeld += amount;

        emit Events.Owed(caseId, account, amount);
    }

    function _burn(uint256 amount) internal {
        if (amount != 0) NativeTransfer.send(burn, amount);
    }

    /* STANDING */

    /// @inheritdoc ISlasher
    function hasOpenDispute(uint256 nodeId) external view returns (bool) {
        return openCaseOf[nodeId] != 0;
    }

    /// @inheritdoc ISlasher
    function isBarred(address nodeOwner) external view returns (bool) {
        return _openCases[nodeOwner] != 0 || offencesOf[nodeOwner] != 0;
    }

    /* VIEWS */

    /// @inheritdoc ISlasher
    function getCase(uint256 caseId) external view returns (Case memory) {
        require(_cases[caseId].stage != Stage.None, Errors.Slasher_UnknownCase(caseId));
        return _cases[caseId];
    }

    /// @inheritdoc ISlasher
    function accusersOf(uint256 caseId) external view returns (address[] memory) {
        return _accusers[caseId];
    }

    /// @inheritdoc ISlasher
    function claimOf(uint256 caseId, address validator) external view returns (Claim memory) {
        return _accusations[caseId][validator].claim;
    }

    /// @inheritdoc ISlasher
    function committeeOf(uint256 caseId, uint8 round) external view returns (address[] memory) {
        return _committees[caseId][round];
    }

    /// @inheritdoc ISlasher
    function windows() external view returns (Windows memory) {
        return _windows;
    }

    /// @inheritdoc ISlasher
    function stakes() external view returns (Stakes memory) {
        return _stakes;
    }

    /* PARAMETERS */

    /// @inheritdoc ISlasher
    function setWindows(Windows calldata windows_) external onlyOwner {
        _setWindows(windows_);
    }

    /// @inheritdoc ISlasher
    function setStakes(Stakes calldata stakes_) external onlyOwner {
        _setStakes(stakes_);
    }

    /// @inheritdoc ISlasher
    function setCommitteeSize(uint8 size) external onlyOwner {
        _setCommitteeSize(size);
    }

    /// @inheritdoc ISlasher
    function setRestake(address restake_) external onlyOwner {
        restake = restake_;

        emit Events.RestakeChanged(restake_);
    }

    function _setWindows(Windows memory w) private {
        uint32[5] memory lengths = [w.commit, w.vote, w.reveal, w.dispute, w.jail];
        for (uint256 i; i < lengths.length; ++i) {
            Bounds.check(lengths[i], Constants.MIN_CASE_WINDOW, Constants.MAX_CASE_WINDOW);
        }
        Bounds.check(w.cooldown, 0, Constants.MAX_ACCUSER_COOLDOWN);

        _windows = w;

        emit Events.WindowsChanged({
            commit: w.commit, vote: w.vote, reveal: w.reveal, dispute: w.dispute, jail: w.jail, cooldown: w.cooldown
        });
    }

    function _setStakes(Stakes memory s) private {
        Bounds.check(s.accusation, 1, Constants.MAX_CASE_STAKE);
        Bounds.check(s.duty, 1, Constants.MAX_CASE_STAKE);
        Bounds.check(s.dispute, 1, Constants.MAX_CASE_STAKE);

        _stakes = s;

        emit Events.StakesChanged({accusation: s.accusation, duty: s.duty, dispute: s.dispute});
    }

    /// @dev Odd, so that a full committee has no tie.
    function _setCommitteeSize(uint8 size) private {
        Bounds.check(size, Constants.MIN_COMMITTEE, Constants.MAX_COMMITTEE);
        require(size % 2 == 1, Errors.Slasher_EvenCommittee(size));

        committeeSize = size;

        emit Events.CommitteeSizeChanged(size);
    }
}
